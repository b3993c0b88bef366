/**
 * The evaluator over one core: starts evaluations, answers what they ask for, and turns their failures into
 * `EvaluationError`s.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type Diagnostic, type Position, type Trace, printPosition } from '@neve/diagnostics';
import { type CoreImage, takeImage } from './core-image.ts';
import { type Address, type Core, raised } from './core.ts';
import { derivationsIn } from './derivations.ts';
import { type Answer, type EvalIO, EvalIOError } from './eval-io.ts';
import {
  type DerivationOutput,
  type DistinctValues,
  EvaluationError,
  type Evaluator,
  type EvaluatorSettings,
  type FunctionSource,
  type ImageUse,
  type PrintLayout,
  type Program,
  type ProgramOutline,
  type Source,
  type Value,
  type ValueDescription,
  type ValuePart,
} from './evaluator.ts';
import { type FiberOptions, Fibers, type Offers } from './fibers.ts';
import type { EvaluationProfile } from './profile/profile.ts';
import { HostRequests, type ImageRequests } from './host-requests.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { attributeNamesOf, attributeOf, describeValue, partsOfValue } from './describe-value.ts';
import { readOutline } from './program-outline.ts';
import { printEvaluated } from './print-evaluated.ts';
import { parseSelectionPath } from './selection-path.ts';
import { SeenCells } from './seen-cells.ts';
import { SourceMap, replacePositionMarkers } from './source-map.ts';
import { statistics } from './statistics.ts';
import { runSteps } from './steps.ts';

/** As many evaluations wait for the world at a time, at most. */
const defaultMaximumOfFibers = 256;
const originOfKind = { file: 0, string: 1, stdin: 2 } as const;
/** The kind of error that a failure of the host is raised as. */
const errorOfHost = 9;
/** The kind of error that `EvaluationError` calls a usage error. */
const usageError = 11;

/** A program and what it was read from, to be shown again by `--parse`. */
class LoadedProgram implements Program {
  readonly handle: Address;
  readonly text: Uint8Array;
  readonly origin: number;
  readonly path: Uint8Array | undefined;
  readonly directory: Uint8Array;
  /** The set whose attributes are its variables. */
  readonly scope: Value | undefined;

  constructor(handle: Address, source: Omit<LoadedProgram, 'handle'>) {
    this.handle = handle;
    this.text = source.text;
    this.origin = source.origin;
    this.path = source.path;
    this.directory = source.directory;
    this.scope = source.scope;
  }
}

export type CoreEvaluatorOptions = {
  readonly io: EvalIO;
  readonly isInterruptible: boolean;
  readonly pause: FiberOptions['pause'];
  readonly settings: EvaluatorSettings;
  readonly images: ImageRequests | undefined;
  /** Whether the core goes on from an image. */
  readonly isResumed: boolean;
};

export class CoreEvaluator implements Evaluator {
  readonly #core: Core;
  readonly #io: EvalIO;
  readonly #sources: SourceMap;
  readonly #requests: HostRequests;
  readonly #maximumDepth: number;
  readonly #fibers: Fibers;
  readonly #isResumed: boolean;
  readonly #sharedAtStart: number;

  constructor(core: Core, { io, settings, isInterruptible, pause, images, isResumed }: CoreEvaluatorOptions) {
    this.#core = core;
    this.#isResumed = isResumed;
    this.#sharedAtStart = core.exports.sharedBytes();
    this.#io = io;
    this.#sources = new SourceMap(core, io);
    this.#maximumDepth = settings.maxCallDepth;
    this.#requests = new HostRequests({
      core,
      io,
      sources: this.#sources,
      currentDirectory: settings.currentDirectory,
      abortOnWarn: settings.abortOnWarn,
      importsFromDerivations: settings.allowImportFromDerivation ?? true,
      isPure: settings.pureEval,
      showText: (text) => this.#withPositions(text),
      images,
    });
    this.#fibers = new Fibers({
      core,
      requests: this.#requests,
      maximum: settings.maxConcurrentFibers ?? defaultMaximumOfFibers,
      isInterruptible,
      pause,
      showWarnings: () => this.#showWarnings(),
      guard: (step) => this.#guard(step, undefined),
      refusal: (error) => this.#refusal(error),
    });
  }

  async parse(source: Source): Promise<Program> {
    const { text, path, directory } = await this.#readSource(source);
    // Printing or asking may have used up the memory as well.
    this.#fibers.recover();
    const origin = originOfKind[source.kind];
    const code = this.#guard(() => {
      const length = this.#core.write(text);
      return this.#core.exports.loadInput(length, origin, ...this.#places(path, directory));
    }, text);
    if (path === undefined) this.#sources.keepNewest(text);
    this.#showWarnings();
    return new LoadedProgram(code, { text, origin, path, directory, scope: undefined });
  }

  async parseIn(
    source: Exclude<Source, { readonly kind: 'file' }>,
    { scope, form }: { readonly scope: Value; readonly form: 'expression' | 'bindings' },
  ): Promise<Program> {
    const { text, path, directory } = await this.#readSource(source);
    const origin = originOfKind[source.kind];
    const code = this.#guard(() => {
      const base = this.#core.newString(directory);
      const length = this.#core.write(text);
      return this.#core.exports.loadInputIn(length, origin, base, this.#kept(scope), form === 'bindings');
    }, text);
    this.#sources.keepNewest(text);
    this.#showWarnings();
    return new LoadedProgram(code, { text, origin, path, directory, scope });
  }

  forgetFiles(): void {
    this.#core.exports.forgetFiles();
    this.#requests.forgetPaths();
  }

  interrupt(reason: Error): void {
    this.#fibers.interrupt(reason);
  }

  printProgram(program: Program): Uint8Array {
    const { text, origin, path, directory } = loaded(program);
    this.#guard(() => {
      const places = this.#places(path, directory);
      this.#core.exports.showInput(this.#core.write(text), origin, ...places);
    }, text);
    return this.#core.takeOutput();
  }

  async outline(source: Source): Promise<ProgramOutline> {
    const { text, path, directory } = await this.#readSource(source);
    this.#guard(() => {
      const places = this.#places(path, directory);
      this.#core.exports.outlineInput(this.#core.write(text), originOfKind[source.kind], ...places);
    }, text);
    return readOutline(decodeUtf8(this.#core.takeOutput()));
  }

  async evaluate(program: Program): Promise<Value> {
    return await this.#force(this.#thunkOf(program));
  }

  async force(value: Value): Promise<Value> {
    return await this.#force(this.#kept(value));
  }

  describe(value: Value): ValueDescription {
    const description = describeValue(this.#core, this.#kept(value));
    return { ...description, text: decodeUtf8(this.#withPositions(encodeUtf8(description.text))) };
  }

  functionSource(value: Value): FunctionSource | undefined {
    const { exports } = this.#core;
    const at = this.#kept(value);
    const position = this.#sources.locate(exports.lambdaPosition(at));
    if (position === undefined) return undefined;
    const name = exports.lambdaName(at);
    const documentation = this.#sources.locate(exports.lambdaDocumentation(at));
    return { name: name === 0 ? undefined : decodeUtf8(this.#core.read(name)), position, documentation };
  }

  attributePosition(set: Value, name: string): Position | undefined {
    const length = this.#core.write(encodeUtf8(name));
    return this.#sources.locate(this.#core.exports.attrPosition(this.#kept(set), length));
  }

  parts(value: Value, range: { from: number; count: number }): readonly ValuePart[] {
    return partsOfValue(this.#core, this.#kept(value), range);
  }

  attributeNames(value: Value): readonly string[] {
    return attributeNamesOf(this.#core, this.#kept(value));
  }

  attribute(value: Value, name: string): Value | undefined {
    return attributeOf(this.#core, this.#kept(value), name);
  }

  distinctValues(): DistinctValues {
    const seen = new SeenCells(this.#core);
    return { add: (value) => seen.add(this.#kept(value)) };
  }

  release(value: Value): void {
    this.#core.exports.release(value.handle);
  }

  delay(program: Program): Value {
    return this.#keep(this.#thunkOf(program));
  }

  string(text: Uint8Array): Value {
    return this.#keep(this.#core.newString(text));
  }

  async autoCall(value: Value, args: ReadonlyMap<string, Value>): Promise<Value> {
    const set = this.#argumentSet(args);
    return this.#keep(await this.#evaluate(() => this.#core.exports.beginAutoCall(set, this.#kept(value))));
  }

  async select(
    value: Value,
    { path, args }: { path: string; args: ReadonlyMap<string, Value> },
  ): Promise<Value> {
    let at = value;
    for (const name of parseSelectionPath(path)) {
      const called = await this.autoCall(at, args);
      const selected = await this.#evaluate(() => {
        const nameValue = this.#core.newString(encodeUtf8(name));
        const pathValue = this.#core.newString(encodeUtf8(path));
        this.#core.exports.beginSelect(this.#kept(called), nameValue, pathValue);
      });
      at = this.#keep(selected);
    }
    return await this.#force(this.#kept(at));
  }

  async forceDeep(value: Value): Promise<void> {
    await this.#evaluate(() => this.#core.exports.beginDeepForce(this.#kept(value)));
  }

  async print(value: Value): Promise<Uint8Array> {
    this.#core.exports.printValue(this.#kept(value), 0);
    return this.#withPositions(this.#core.takeOutput());
  }

  async printEvaluated(value: Value, layout?: PrintLayout): Promise<Uint8Array> {
    const printed = await printEvaluated(value, {
      core: this.#core,
      layout,
      force: (inside) => this.#force(inside),
      during: (offers, walk) => this.#fibers.during(offers, walk),
      maximumDepth: this.#maximumDepth,
    });
    return this.#withPositions(printed);
  }

  async toJSON(value: Value, { strict }: { strict: boolean }): Promise<Uint8Array> {
    const begin = (): void => this.#core.exports.beginJson(this.#kept(value), !strict);
    return this.#core.read(await this.#evaluate(begin));
  }

  async toXML(
    value: Value,
    { location, strict }: { location: boolean; strict: boolean },
  ): Promise<Uint8Array> {
    const flags = (strict ? 0 : 1) | (location ? 2 : 0);
    const text = await this.#evaluate(() => this.#core.exports.beginXml(this.#kept(value), flags));
    return this.#withPositions(this.#core.read(text));
  }

  async toRaw(value: Value): Promise<Uint8Array> {
    return this.#core.read(await this.#evaluate(() => this.#core.exports.beginRaw(this.#kept(value))));
  }

  async derivations(value: Value, args: ReadonlyMap<string, Value>): Promise<readonly DerivationOutput[]> {
    return await derivationsIn(value, { evaluator: this, core: this.#core, args });
  }

  async findFile(name: string): Promise<string> {
    const found = await this.#evaluate(() => {
      this.#core.exports.beginFindFile(this.#core.newString(encodeUtf8(name)));
    });
    return decodeUtf8(this.#core.read(found));
  }

  postponeCollection(heapBytes: number): void {
    this.#core.exports.postponeCollection(heapBytes);
  }

  stats(): Readonly<Record<string, unknown>> {
    return statistics(this.#core);
  }

  profile(): EvaluationProfile | undefined {
    return this.#core.profiler?.profile(this.#core, (position) => this.#sources.locate(position));
  }

  /** Whatever waits during a walk may be joined by what the walk will want: `offers`. */
  async during<T>(offers: Offers, walk: () => Promise<T>): Promise<T> {
    return await this.#fibers.during(offers, walk);
  }

  /** Forces a value that is inside of another one. */
  async forceInside(value: Address): Promise<Value> {
    return await this.#force(value);
  }

  imageUse(): ImageUse {
    const { exports } = this.#core;
    return {
      isResumed: this.#isResumed,
      keptBytes: this.#sharedAtStart,
      addedBytes: exports.sharedBytes() - this.#sharedAtStart,
      found: exports.foundCallCount(),
      made: exports.madeCallCount(),
      isInDoubt: exports.isInDoubt() !== 0,
      dependsOnClock: exports.dependsOnClock() !== 0,
    };
  }

  takeImage(): CoreImage {
    return takeImage(this.#core);
  }

  // ── Running ──

  async #force(value: Address): Promise<Value> {
    return this.#keep(await this.#evaluate(() => this.#core.exports.beginForce(value)));
  }

  /** Runs what `begin` starts; the address of its result is valid until the core runs again. */
  #evaluate(begin: () => void): Answer<Address> {
    return this.#fibers.evaluate(begin);
  }

  /** Goes on with what the world refused as an error of the program. */
  #refusal(error: unknown): () => number {
    if (!(error instanceof EvalIOError)) throw error;
    const message = encodeUtf8(error.message);
    return () => {
      this.#core.exports.answerError(errorOfHost, this.#core.write(message));
      return this.#core.run();
    };
  }

  /** Calls into the core. What a program raises and does not catch becomes an `EvaluationError`. */
  #guard<T>(call: () => T, text: Uint8Array | undefined): T {
    let next: () => T = call;
    while (true) {
      try {
        return next();
      } catch (error) {
        if (error instanceof OutOfMemory) {
          if (!this.#core.canRetry()) throw error;
          next = () => this.#core.run() as T;
          continue;
        }
        if (error !== raised) throw error;
        if (text !== undefined) this.#sources.keepNewest(text);
        this.#showWarnings();
        if (this.#core.exports.handleError() === 0) {
          this.#requests.endImports();
          const isUsageError = this.#core.exports.errorKind() === usageError;
          throw new EvaluationError(this.#diagnostic(), { isUsageError });
        }
        // Something in the program caught it: that evaluation goes on.
        next = () => this.#core.run() as T;
      }
    }
  }

  // ── Sources ──

  async #readSource(source: Source): Promise<SourceText> {
    if (source.kind !== 'file') {
      const text = typeof source.text === 'string' ? encodeUtf8(source.text) : source.text;
      return { text, path: undefined, directory: encodeUtf8(source.directory) };
    }
    try {
      const path = await runSteps(this.#requests.resolveImport(encodeUtf8(source.path)));
      const text = await runSteps(this.#requests.readSource(path));
      return { text, path, directory: path.subarray(0, Math.max(1, path.lastIndexOf(0x2f))) };
    } catch (error) {
      if (!(error instanceof EvalIOError)) throw error;
      throw new EvaluationError({ kind: 'error', message: error.message, traces: [], suggestions: [] });
    }
  }

  #thunkOf(program: Program): Address {
    const { handle, scope } = loaded(program);
    const { exports } = this.#core;
    return scope === undefined ? exports.newThunk(handle) : exports.newThunkIn(handle, this.#kept(scope));
  }

  /** The paths of a source as values; made before the source is written to the input. */
  #places(path: Uint8Array | undefined, directory: Uint8Array): [Address, Address] {
    const pathValue = path === undefined ? 0 : this.#core.newString(path);
    return [pathValue, this.#core.newString(directory)];
  }

  // ── Values ──

  #keep(value: Address): Value {
    return { handle: this.#core.exports.keep(value) };
  }

  #kept(value: Value): Address {
    return this.#core.exports.kept(value.handle);
  }

  #argumentSet(args: ReadonlyMap<string, Value>): Address {
    const mark = this.#core.exports.beginSet();
    for (const [name, value] of args) {
      this.#core.exports.newAttr(this.#core.write(encodeUtf8(name)), this.#kept(value));
    }
    return this.#core.exports.endSet(mark);
  }

  // ── Errors ──

  #diagnostic(): Diagnostic {
    const { exports } = this.#core;
    const traces: Trace[] = [];
    exports.rewindTraces();
    while (exports.nextTrace() !== 0) {
      exports.writeTraceMessage();
      traces.push({
        message: decodeUtf8(this.#withPositions(this.#core.takeOutput())),
        position: this.#sources.locate(exports.tracePosition()),
        always: exports.traceAlways() !== 0,
      });
    }
    return {
      kind: 'error',
      message: decodeUtf8(this.#withPositions(this.#core.read(exports.errorMessage()))),
      position: this.#sources.locate(exports.errorPosition()),
      traces,
      suggestions: this.#suggestions(exports.errorSuggestions()),
    };
  }

  /** What the parser thinks of the sources that were read since it was asked last. */
  #showWarnings(): void {
    const { exports } = this.#core;
    while (exports.nextWarning() !== 0) {
      const text = this.#core.slice(exports.warningAddress(), exports.warningSize());
      const position = this.#sources.locate(exports.warningPosition());
      const place = this.#sources.locate(exports.warningSecondPosition());
      if (place === undefined) this.#io.message('warning', text, { position });
      else this.#io.message('warning', encodeUtf8(`at ${printPosition(place)}: ${decodeUtf8(text)}`));
    }
  }

  #suggestions(list: Address): string[] {
    const { exports } = this.#core;
    if (list === 0) return [];
    return Array.from({ length: exports.listSize(list) }, (_, i) =>
      decodeUtf8(this.#core.read(exports.itemAt(list, i))),
    );
  }

  #withPositions(text: Uint8Array): Uint8Array {
    return replacePositionMarkers(text, (position, part) => {
      const place = this.#sources.locate(position);
      if (part !== 'pos') return String(place?.[part] ?? 0);
      return place === undefined ? '«none»' : printPosition(place);
    });
  }
}

type SourceText = {
  readonly text: Uint8Array;
  readonly path: Uint8Array | undefined;
  readonly directory: Uint8Array;
};

function loaded(program: Program): LoadedProgram {
  if (!(program instanceof LoadedProgram)) throw new TypeError('a program of another evaluator');
  return program;
}
