/**
 * What the lines of a prompt work on: an evaluator, its variables, and what was loaded, from the command line or by `:l`. All
 * of that but the list of files is made anew by `:r`, and after a failure that the evaluator does not survive.
 */
import type { Evaluator, Value } from '@neve/eval';
import type { Added } from '@neve/eval-store/node';
import type { Caller } from '../caller.ts';
import {
  type SessionOptions,
  type StoreAccess,
  functionArguments,
  loadCore,
  sourceOfFile,
  sourceOfText,
  startEvaluator,
} from '../evaluation-session.ts';
import { EvaluationImage } from '../images/evaluation-image.ts';
import { imageWishes } from '../images/image-cache.ts';
import { type ImageLookupInput, ImagePlace } from '../images/image-place.ts';
import { ImageWanted } from '../images/image-wanted.ts';
import { NotedEvaluation, whyNotNoted } from '../images/noted-evaluation.ts';
import { isInterruption } from '../interruption.ts';
import type { EvaluateArguments } from '../parse-arguments.ts';
import { UsageError } from '../usage-error.ts';
import { ReplScope } from './repl-scope.ts';
import type { ReplStore } from './repl-store.ts';

export type ReplWorldOptions = Pick<ImageLookupInput, 'args' | 'settings' | 'caller' | 'build'> & {
  readonly store: ReplStore;
  /** Tells something that is no answer. */
  readonly notice: (text: string) => void;
  /** Tells an error of what is loaded. */
  readonly report: (error: unknown) => void;
};

/** An image that was looked at so long ago holds. */
const momentMs = 1000;
/** More than that would be copied for longer than anybody waits at the end of a session, garbage included. */
const maxSharedBytes = 512 << 20;
/** As many of the names that were added are shown. */
const shownNames = 20;

export class ReplWorld implements Disposable {
  readonly #options: ReplWorldOptions;
  readonly #core: WebAssembly.Module;
  readonly #files: string[] = [];
  #started: Started | undefined;
  #isQuiet = false;
  #lastLoaded: readonly string[] | undefined;
  #usesImages: boolean;
  /** The file of a package tree that lines have come to first. */
  #treeFile: string | undefined;
  /** Whether the work that is under way was begun again. */
  #isAgain = false;
  /** How much was told by the work that is under way, and how much of it was told before by the same work. */
  #told = 0;
  #toldBefore = 0;

  constructor(options: ReplWorldOptions) {
    this.#options = options;
    this.#core = loadCore(options.settings);
    this.#usesImages = imageWishes(options.settings, options.caller.environment).isOn;
  }

  get evaluator(): Evaluator {
    return this.#current().evaluator;
  }

  get scope(): ReplScope {
    return this.#current().scope;
  }

  /** The names that were loaded last, in order. */
  get lastLoaded(): readonly string[] | undefined {
    return this.#lastLoaded;
  }

  /** Starts an evaluator without variables, from an image if there is one and it was wanted before. */
  async start(): Promise<void> {
    const { args, settings, caller, build, store } = this.#options;
    const storeAccess: StoreAccess = { kind: 'realised', open: async () => store.io };
    this.#started?.image?.[Symbol.dispose]();
    const session = { args, settings, caller, build, storeAccess };
    const evaluation = new NotedEvaluation(session, { asksAgain: true });
    const place = this.#usesImages ? ImagePlace.open(session) : undefined;
    const image =
      place &&
      (await EvaluationImage.open(place, evaluation, {
        treeFile: this.#treeFile ?? place.likelyTreeFile(),
        mayBeginAgain: () => !this.#isAgain && !this.#isQuiet && this.#current().bindings !== undefined,
      }));
    const { evaluator, loadStore } = await startEvaluator({
      ...{ args, settings, storeAccess, core: this.#core },
      ...(image !== undefined && this.#hooks(image, evaluation)),
      caller: this.#listener(),
      isInteractive: true,
    });
    this.#started = {
      ...{ evaluator, loadStore, image, isUsed: false, bindings: [], startedMs: performance.now() },
      ...{ evaluatedMs: 0, isSpoilt: false },
      scope: await ReplScope.create(evaluator, caller.directory),
    };
    this.#lastLoaded = undefined;
  }

  /** Until the end of the session is noted down what is read, for an image. */
  #hooks(
    image: EvaluationImage,
    evaluation: NotedEvaluation,
  ): Pick<SessionOptions, 'around' | 'images' | 'kept' | 'descriptions' | 'onEvaluator'> {
    const { images, kept, onEvaluator } = image.hooks;
    const described = (): Iterable<Added> => image.describedBefore();
    const isNoted = whyNotNoted(this.#options) === undefined;
    return {
      ...{ images, kept, onEvaluator },
      around: isNoted ? evaluation.around : undefined,
      descriptions: isNoted ? { described, onAdded: evaluation.onAdded } : { described },
    };
  }

  /**
   * At the end of the session: nothing can be evaluated afterwards. No image is made of what was interrupted, which may have left
   * something half done, and none where files of a package tree were forgotten.
   */
  async keepImage(): Promise<void> {
    const { image, evaluatedMs, isSpoilt } = this.#current();
    if (image === undefined || isSpoilt || !image.isWorthKeeping(evaluatedMs)) return;
    if (image.sharedBytes > maxSharedBytes || (await image.isSuperfluous())) return;
    image.keep(evaluatedMs);
  }

  /** Something that was evaluated has not come to its end. */
  noteInterruption(): void {
    this.#current().isSpoilt = true;
  }

  /** Something is evaluated, whose files stay as they were until they are forgotten. */
  noteUse(): void {
    this.#current().isUsed = true;
  }

  /** Bindings were defined, which can be defined again. */
  noteBindings(text: string): void {
    this.#current().bindings?.push(text);
  }

  /** There is more in the scope now than bindings. */
  noteLoad(): void {
    this.#current().bindings = undefined;
  }

  /**
   * Does some work. If it comes to what an image has, an evaluator that has gone on from one does it, as long as all variables can be
   * defined in that one too.
   */
  async fromImage(work: () => Promise<void>, again = work): Promise<void> {
    this.#told = 0;
    this.#toldBefore = 0;
    const begunMs = performance.now();
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ImageWanted)) throw error;
      const { bindings = [] } = this.#current();
      this.#treeFile = error.treeFile;
      this.#isAgain = true;
      await this.start();
      await this.quietly(async () => {
        for (const text of bindings) await this.scope.define(await this.scope.parse(text, 'bindings'));
      });
      this.#current().bindings = bindings;
      this.#toldBefore = this.#told;
      await again();
    } finally {
      this.#isAgain = false;
      this.#treeFile = this.#current().image?.treeFile ?? this.#treeFile;
      this.#current().evaluatedMs += performance.now() - begunMs;
    }
  }

  /** Whether something is told for the first time: work that is done again tells the same as before. */
  #isNews(): boolean {
    if (this.#toldBefore > 0) {
      this.#toldBefore -= 1;
      return false;
    }
    this.#told += 1;
    return true;
  }

  #notice(text: string): void {
    if (this.#isNews()) this.#options.notice(text);
  }

  /** Whether what was kept of other evaluations has led to an error that there would not have been. */
  get isInDoubt(): boolean {
    return this.#current().image?.isInDoubt === true;
  }

  /** Starts anew, without what was kept, and loads everything again. */
  async reloadWithoutImages(): Promise<void> {
    this.#usesImages = false;
    await this.reload();
  }

  [Symbol.dispose](): void {
    this.#started?.image?.[Symbol.dispose]();
  }

  /** Whether the evaluator can evaluate: not where the memory was used up at the wrong moment. */
  async isAlive(): Promise<boolean> {
    try {
      await this.evaluator.evaluate(await this.scope.parse('null', 'expression'));
      return true;
    } catch {
      return false;
    }
  }

  /** Starts anew, and loads everything again. */
  async reload(): Promise<void> {
    await this.start();
    await this.loadAll();
  }

  /** Works without builds, fetches and messages. */
  async quietly<T>(work: () => Promise<T>): Promise<T> {
    this.#isQuiet = true;
    this.#options.store.isClosed = true;
    try {
      return await work();
    } finally {
      this.#isQuiet = false;
      this.#options.store.isClosed = false;
    }
  }

  /** The store is told of what evaluation has added, which may be built then. */
  async loadStore(): Promise<void> {
    await this.#current().loadStore();
  }

  /** Loads files and what the command line names. What fails is told, and the rest is loaded. */
  async loadAll(): Promise<void> {
    if (this.#files.length + wantedNames(this.#options.args).length > 0) this.noteUse();
    for (const file of this.#files) {
      this.#notice(`Loading ${JSON.stringify(file)}...`);
      await this.#attempt(() => this.#loadFile(file));
    }
    for (const name of wantedNames(this.#options.args)) {
      this.#notice(`Loading installable '${name}'...`);
      await this.#attempt(async () => this.add(await this.#installable(name)));
    }
  }

  /** Loads a file, and remembers it if that went well. */
  async load(file: string): Promise<void> {
    await this.#forgetFiles();
    await this.#loadFile(file);
    if (this.#files.includes(file)) this.#files.splice(this.#files.indexOf(file), 1);
    this.#files.push(file);
  }

  /** An image has files too, which may have changed since it was looked at: there may be another one now. */
  async #forgetFiles(): Promise<void> {
    const { isUsed, startedMs, evaluator, image } = this.#current();
    if (isUsed) {
      evaluator.forgetFiles();
      // What is shared is made once more beside what was, so that an image would have it twice.
      if ((image?.sharedBytes ?? 0) > 0) this.#current().isSpoilt = true;
    } else if (performance.now() - startedMs > momentMs) await this.start();
    this.noteUse();
  }

  /** Adds attributes to the scope, and tells which. */
  async add(set: Value): Promise<void> {
    const names = await this.scope.add(set);
    this.noteLoad();
    this.#lastLoaded = names;
    const notice = (text: string): void => this.#notice(text);
    notice(`Added ${names.length} variables.`);
    notice(names.slice(0, shownNames).map(printIdentifier).join(', '));
    if (names.length > shownNames) notice(`... and ${names.length - shownNames} more; view with :ll`);
  }

  /** Whoever started the command, who hears nothing while something is done quietly. */
  #listener(): Caller {
    const { caller } = this.#options;
    return {
      environment: caller.environment,
      directory: caller.directory,
      sourceLink: caller.sourceLink,
      report: (event) => caller.report(event),
      wantsColour: () => caller.wantsColour(),
      readStandardInput: () => caller.readStandardInput(),
      watchInterruptions: (interrupt) => caller.watchInterruptions(interrupt),
      write: (file, text) => {
        if (!this.#isQuiet && this.#isNews()) caller.write(file, text);
      },
    };
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ImageWanted || isInterruption(error)) throw error;
      this.#options.report(error);
    }
  }

  async #loadFile(file: string): Promise<void> {
    const { caller, args } = this.#options;
    const program = await this.evaluator.parse(await sourceOfFile(this.evaluator, file, caller));
    const value = await this.evaluator.evaluate(program);
    await this.add(
      await this.evaluator.autoCall(value, await functionArguments(this.evaluator, { args, caller })),
    );
  }

  /** An attribute path in the file or expression of the command line, or a file. */
  async #installable(name: string): Promise<Value> {
    const { args, caller } = this.#options;
    const functionArgs = await functionArguments(this.evaluator, { args, caller });
    const expression = args.last('exprArgument');
    const file = args.last('file');
    const path = expression === undefined && file === undefined ? '' : name;
    const source =
      expression === undefined
        ? await sourceOfFile(this.evaluator, file ?? name, caller)
        : sourceOfText(expression, caller);
    const root = await this.evaluator.evaluate(await this.evaluator.parse(source));
    const selected = await this.evaluator.select(root, { path, args: functionArgs });
    // As in Nix, a function of an expression is not called.
    return expression === undefined || functionArgs.size > 0
      ? await this.evaluator.autoCall(selected, functionArgs)
      : selected;
  }

  #current(): Started {
    if (this.#started === undefined) throw new Error('the world was not started');
    return this.#started;
  }
}

type Started = {
  readonly evaluator: Evaluator;
  readonly loadStore: () => Promise<void>;
  readonly scope: ReplScope;
  readonly image: EvaluationImage | undefined;
  readonly startedMs: number;
  /** How long lines have taken. */
  evaluatedMs: number;
  /** No image is to be made of it. */
  isSpoilt: boolean;
  isUsed: boolean;
  /** Texts of all bindings, if there is nothing else in the scope. */
  bindings: string[] | undefined;
};

/** Throws `UsageError` for what contradicts itself, or names a flake. */
export function checkReplArguments(args: EvaluateArguments): void {
  if (args.all('exprArgument').length + args.all('file').length > 1) {
    throw new UsageError('more than one expression or file');
  }
  if (args.has('exprArgument') || args.has('file')) return;
  const flake = args.positional.find((word) => /^(flake:|[a-z+]+:\/\/|github:)|#/.test(word));
  if (flake !== undefined) throw new UsageError(`'${flake}' names a flake, which Neve does not know yet`);
}

function wantedNames(args: EvaluateArguments): readonly string[] {
  const isInside = args.has('exprArgument') || args.has('file');
  return args.positional.length === 0 && isInside ? [''] : args.positional;
}

/** As Nix shows names that were added. */
function printIdentifier(name: string): string {
  const isPlain = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !keywords.has(name);
  return isPlain ? name : JSON.stringify(name);
}

const keywords: ReadonlySet<string> = new Set([
  'if',
  'then',
  'else',
  'assert',
  'with',
  'let',
  'in',
  'rec',
  'inherit',
]);
