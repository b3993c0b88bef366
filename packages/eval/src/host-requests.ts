/**
 * Answers what the core asks of the world (`assembly/machine/host-request.ts` lists the requests) with an `EvalIO`.
 */
import { byteKey, decodeUtf8, encodeHex, encodeUtf8 } from '@neve/bytes';
import { callInSpan, currentTracing } from '@neve/telemetry';
import type { Address, Core, Handle } from './core.ts';
import {
  type AddPathOptions,
  type Answer,
  type ContextElement,
  type EvalIO,
  EvalIOError,
  type FetchAttribute,
  type FetchRequest,
  type FileType,
  type MessageLevel,
  type MessageSubject,
  type PathSet,
} from './eval-io.ts';
import { PathResolver, join, normalise } from './path-resolution.ts';
import { ImportSpans } from './import-spans.ts';
import type { SharedTrees } from './shared-trees.ts';
import type { SourceMap } from './source-map.ts';
import { type Steps, need, runStepsThen } from './steps.ts';
import { basePath, firstOutput, parseContextElement } from './string-context.ts';

const request = {
  readFile: 1,
  fileType: 2,
  readDirectory: 3,
  readLink: 4,
  resolveImport: 5,
  environment: 6,
  addPath: 7,
  addText: 8,
  writeDerivation: 9,
  message: 10,
  position: 11,
  ensurePath: 12,
  hashFile: 13,
  currentTime: 15,
  searchPathEntry: 16,
  fetch: 17,
  pathReferences: 18,
  resolveLinks: 19,
  readSource: 20,
  hashBytes: 21,
  realise: 22,
  fileEvaluated: 23,
} as const;

/** What evaluations with images want to know of requests. */
export type ImageRequests = {
  readonly trees: SharedTrees;
  enterRegion(region: 'own' | 'shared'): void;
};

/** An answer that was not there at once: a value that is kept until the fiber that has asked goes on. */
export type LateAnswer = {
  readonly value: Handle;
  /** The value is a string with the source that is to be the input. */
  readonly isSource: boolean;
};

export class HostRequests {
  readonly #core: Core;
  readonly #io: EvalIO;
  readonly #sources: SourceMap;
  /** Of the own region of the core's heap, and of the shared one: each asks the world for itself. */
  #resolvers: readonly [own: PathResolver, shared: PathResolver];
  readonly #images: ImageRequests | undefined;
  #isShared = false;
  /** Strings in the core, by what they say. */
  readonly #typeNames = new Map<string, Handle>();
  /** Replaces the markers of positions in a text that is shown. */
  readonly #showText: (text: Uint8Array) => Uint8Array;

  /** What relative entries of the search path are relative to. */
  readonly #currentDirectory: string | undefined;
  /** Undefined while nobody listens. */
  readonly #imports: ImportSpans | undefined;
  /** Whether a warning of the program ends the evaluation. */
  readonly #abortOnWarn: boolean;
  /** Whether what is evaluated may be built first. */
  readonly #importsFromDerivations: boolean;
  readonly #isPure: boolean;

  constructor(options: {
    core: Core;
    io: EvalIO;
    sources: SourceMap;
    currentDirectory: string | undefined;
    abortOnWarn: boolean;
    importsFromDerivations: boolean;
    isPure: boolean;
    showText: (text: Uint8Array) => Uint8Array;
    images?: ImageRequests | undefined;
  }) {
    this.#core = options.core;
    this.#io = options.io;
    this.#sources = options.sources;
    this.#showText = options.showText;
    this.#currentDirectory = options.currentDirectory;
    this.#abortOnWarn = options.abortOnWarn;
    this.#importsFromDerivations = options.importsFromDerivations;
    this.#isPure = options.isPure;
    if (currentTracing() !== undefined) {
      this.#imports = new ImportSpans();
      this.#core.exports.configureFileReports(true);
    }
    this.#resolvers = [new PathResolver(options.io), new PathResolver(options.io)];
    this.#images = options.images;
  }

  get #paths(): PathResolver {
    return this.#resolvers[this.#isShared ? 1 : 0];
  }

  /** The value that answers the pending request of the current fiber, or the promise of it. */
  answer(): Address | Promise<LateAnswer> {
    const { exports } = this.#core;
    if (this.#images !== undefined) this.#enterRegion(exports.isInSharedRegion() !== 0);
    if (this.#imports === undefined) return this.#answer();
    const kind = exports.requestKind();
    if (kind === request.fileEvaluated) {
      this.#imports.end(this.#bytes(0));
      return exports.nullValue();
    }
    if (kind === request.readSource && exports.requestArgument(1) !== 0) this.#imports.begin(this.#bytes(0));
    return this.#imports.within(() => this.#answer());
  }

  /** What is read belongs to the region of the heap in which the program is. */
  #enterRegion(isShared: boolean): void {
    if (isShared === this.#isShared) return;
    this.#isShared = isShared;
    this.#images?.enterRegion(isShared ? 'shared' : 'own');
  }

  /** An error that nothing has caught ends what is measured of files. */
  endImports(): void {
    this.#imports?.endAll();
  }

  /** Directories are looked at again: there may be links now. */
  forgetPaths(): void {
    this.#resolvers = [new PathResolver(this.#io), new PathResolver(this.#io)];
  }

  #answer(): Address | Promise<LateAnswer> {
    switch (this.#core.exports.requestKind()) {
      case request.resolveImport:
        return this.#run(this.#resolveImport());
      case request.readSource:
        return this.#readSource();
      case request.readFile:
        return this.#run(this.#readFile());
      case request.fileType:
        return this.#run(this.#fileType());
      case request.addPath:
        return this.#run(this.#addPath());
      case request.environment:
        return this.#core.newString(this.#io.environmentVariable(this.#bytes(0)) ?? new Uint8Array());
      case request.message:
        return this.#message();
      case request.position:
        return this.#position();
      case request.hashBytes:
        return this.#hashBytes();
      case request.currentTime:
        return this.#core.exports.newInt(this.#io.currentTime());
      default:
        return this.#run(this.#answerRare());
    }
  }

  /** Makes the value of an answer that came late; while the fiber that has asked is the current one. */
  take({ value, isSource }: LateAnswer): Address {
    const { exports } = this.#core;
    const address = exports.kept(value);
    exports.release(value);
    return isSource ? exports.stringToInput(address) : address;
  }

  /** Forgets an answer that nobody wants any more. */
  drop({ value }: LateAnswer): void {
    this.#core.exports.release(value);
  }

  /** What is not there at once is kept from the moment on when it is: others may run before it is taken. */
  #run(steps: Steps<Address>): Address | Promise<LateAnswer> {
    const all = this.#images === undefined ? steps : this.#inRegion(steps);
    return runStepsThen(all, (value) => ({ value: this.#core.exports.keep(value), isSource: false }));
  }

  /** What is asked for later belongs to the region in which it began, whatever runs meanwhile. */
  *#inRegion(steps: Steps<Address>): Steps<Address> {
    const isShared = this.#isShared;
    let next = steps.next();
    while (next.done !== true) {
      let resume: () => IteratorResult<Answer<unknown>, Address>;
      try {
        const value = yield next.value;
        resume = () => steps.next(value);
      } catch (error) {
        resume = () => steps.throw(error);
      }
      this.#enterRegion(isShared);
      next = resume();
    }
    return next.value;
  }

  /** Requests that few evaluations make. */
  *#answerRare(): Steps<Address> {
    switch (this.#core.exports.requestKind()) {
      case request.readDirectory:
        return yield* this.#readDirectory();
      case request.readLink:
        return this.#core.newString(yield* need(this.#io.readLink(this.#bytes(0))));
      case request.addText:
        return yield* this.#addText();
      case request.writeDerivation:
        return yield* this.#writeDerivation();
      case request.ensurePath:
        return yield* this.#ensurePath();
      case request.realise:
        return yield* this.#realise();
      case request.pathReferences:
        return yield* this.#pathReferences();
      case request.fetch:
        return yield* this.#fetch();
      case request.hashFile:
        return yield* this.#hashFile();
      case request.searchPathEntry:
        return yield* this.#searchPathEntry();
      case request.resolveLinks:
        return yield* this.#resolveLinks();
      default:
        throw new Error(`the core made a request that is not known: ${this.#core.exports.requestKind()}`);
    }
  }

  *#resolveImport(): Steps<Address> {
    const file = yield* this.resolveImport(this.#bytes(0));
    this.#images?.trees.note(file);
    return this.#core.newPath(file);
  }

  /**
   * The file that an import of `path` reads: a link is followed, so that paths in the file are relative to where it is,
   * links on the way there are kept, and a directory means its `default.nix`.
   */
  *resolveImport(path: Uint8Array): Steps<Uint8Array> {
    let file = path;
    let type = yield* this.#paths.type(path);
    if (type === 'symlink' || type === undefined) {
      file = yield* this.#paths.lastLink(path);
      type = yield* this.#typeOf(file);
    }
    if (type !== 'directory') return file;
    const inside = join(file.length === 1 ? new Uint8Array() : file, encodeUtf8('default.nix'));
    const typeInside = yield* this.#paths.type(inside);
    if (typeInside === 'symlink' || typeInside === undefined) yield* this.#typeOf(inside);
    return inside;
  }

  /** What is at a path when all links are followed. */
  *#typeOf(path: Uint8Array): Steps<FileType> {
    const resolved = yield* this.#paths.all(path);
    const type = resolved === undefined ? undefined : yield* need(this.#io.fileType(resolved));
    if (type !== undefined) return type;
    // Reading it says whether it is forbidden.
    yield* need(this.#io.readFile(path));
    throw new EvalIOError('not-found', `path '${decodeUtf8(path)}' does not exist`, { path });
  }

  /** The bytes become the input, which is everybody's: those that come late are kept as a string until then. */
  #readSource(): Address | Promise<LateAnswer> {
    const { exports } = this.#core;
    let written: number | undefined;
    let kept: Handle | undefined;
    let isLate = false;
    const path = this.#bytes(0);
    const keepString = (string: Address): void => {
      kept = exports.keep(string);
      this.#sources.keepFile(path, this.#core.read(string));
    };
    const answer = this.#withContents(path, (text) => {
      if (isLate) keepString(this.#core.newString(text));
      else written = this.#core.write(text);
    });
    if (!(answer instanceof Promise)) return exports.newInt(written ?? 0);
    isLate = true;
    if (written !== undefined) keepString(exports.newString(written));
    return answer.then(() => {
      if (kept === undefined) throw new Error('the world has not shown the contents of a file');
      return { value: kept, isSource: true };
    });
  }

  #withContents<T>(path: Uint8Array, use: (contents: Uint8Array) => T): Answer<T> {
    if (this.#io.withContents !== undefined) return this.#io.withContents(path, use);
    const contents = this.#io.readFile(path);
    return contents instanceof Promise ? contents.then(use) : use(contents);
  }

  /** The contents of a file, for a source that is evaluated by name. */
  *readSource(path: Uint8Array): Steps<Uint8Array> {
    return yield* need(this.#io.readFile(path));
  }

  #bytes(index: number): Uint8Array {
    return this.#core.read(this.#core.exports.requestArgument(index));
  }

  #text(index: number): string {
    return decodeUtf8(this.#bytes(index));
  }

  #string(text: string): Address {
    return this.#core.newString(encodeUtf8(text));
  }

  /** The same string for every file of a type. */
  #typeName(type: string): Address {
    const known = this.#typeNames.get(type);
    if (known !== undefined) return this.#core.exports.kept(known);
    const name = this.#string(type);
    this.#typeNames.set(type, this.#core.exports.keep(name));
    return name;
  }

  #isNull(index: number): boolean {
    return this.#core.exports.requestArgument(index) === this.#core.exports.nullValue();
  }

  #strings(index: number): Uint8Array[] {
    const { exports } = this.#core;
    const list = exports.requestArgument(index);
    const size = exports.listSize(list);
    return Array.from({ length: size }, (_, i) => this.#core.read(exports.itemAt(list, i)));
  }

  *#readFile(): Steps<Address> {
    const path = this.#bytes(0);
    try {
      const keep = (bytes: Uint8Array): Handle => this.#core.exports.keep(this.#core.newString(bytes));
      const contents = this.#withContents(path, keep);
      const handle = contents instanceof Promise ? yield* need(contents) : contents;
      const value = this.#core.exports.kept(handle);
      this.#core.exports.release(handle);
      return value;
    } catch (error) {
      if (!(error instanceof EvalIOError) || error.code !== 'not-found') throw error;
      // What is missing may be the target of a link: then that is named.
      const missing = yield* this.#paths.lastLink(path);
      throw new EvalIOError('not-found', `path '${decodeUtf8(missing)}' does not exist`, { path: missing });
    }
  }

  *#fileType(): Steps<Address> {
    const type = yield* this.#paths.type(this.#bytes(0));
    return type === undefined ? this.#core.exports.nullValue() : this.#typeName(plainType(type));
  }

  *#readDirectory(): Steps<Address> {
    const given = this.#bytes(0);
    const path = (yield* this.#paths.all(given)) ?? given;
    const type = yield* need(this.#io.fileType(path));
    if (type !== undefined && type !== 'directory') {
      throw new EvalIOError('not-a-directory', `'${decodeUtf8(path)}' is not a directory`, { path });
    }
    const entries = yield* need(this.#io.readDirectory(path));
    const { exports } = this.#core;
    const mark = exports.beginSet();
    for (const { name, type } of entries) {
      const value = this.#string(plainType(type));
      exports.newAttr(this.#core.write(name), value);
    }
    return exports.endSet(mark);
  }

  *#addPath(): Steps<Address> {
    const accepted = this.#isNull(2) ? undefined : pathSet(this.#strings(2));
    const options = this.#isNull(3) ? undefined : this.#core.exports.requestArgument(3);
    // The core checks what a program says; these are its own words.
    const method = (this.#field(options, 'method') ?? 'nar') as AddPathOptions['method'];
    const hashAlgorithm = (this.#field(options, 'algorithm') ?? 'sha256') as AddPathOptions['hashAlgorithm'];
    const name = this.#text(1);
    const path = yield* this.#paths.parents(this.#bytes(0));
    const added = yield* need(
      this.#io.addPathToStore({
        path,
        name,
        method,
        hashAlgorithm,
        accepted,
      }),
    );
    return this.#string(added.storePath);
  }

  #field(set: Address | undefined, name: string): string | undefined {
    if (set === undefined) return undefined;
    const value = this.#core.exports.attrNamed(set, this.#core.write(encodeUtf8(name)));
    return value === 0 ? undefined : decodeUtf8(this.#core.read(value));
  }

  *#addText(): Steps<Address> {
    const name = nameOfStorePath(this.#text(0));
    const references = this.#strings(2).map(decodeUtf8);
    yield* need(this.#io.addTextToStore({ name, contents: this.#bytes(1), references }));
    return this.#core.exports.nullValue();
  }

  *#writeDerivation(): Steps<Address> {
    const storePath = this.#text(0);
    const contents = this.#core.view(this.#core.exports.requestArgument(1));
    const name = nameOfStorePath(storePath);
    yield* need(this.#io.writeDerivation({ name, contents, storePath }));
    return this.#core.exports.nullValue();
  }

  #message(): Address {
    const level = this.#core.exports.intValue(this.#core.exports.requestArgument(0));
    const kind = messageLevels[level] ?? 'trace';
    this.#io.message(kind, this.#showText(this.#bytes(1)), this.#subjectOfMessage());
    if (this.#abortOnWarn && kind === 'evaluation warning') {
      const message = 'aborting to reveal stack trace of warning, as abort-on-warn is set';
      throw new EvalIOError('io-error', message);
    }
    return this.#core.exports.nullValue();
  }

  /** What a message is about, where it says so. */
  #subjectOfMessage(): MessageSubject | undefined {
    const { exports } = this.#core;
    const position = exports.requestArgument(2);
    if (position === 0) return undefined;
    return { position: this.#sources.locate(exports.intValue(position)), doing: this.#text(3) };
  }

  #position(): Address {
    const { exports } = this.#core;
    const place = this.#sources.locate(exports.intValue(exports.requestArgument(0)));
    if (place === undefined || place.origin.kind !== 'file' || place.line === 0) return exports.nullValue();
    const file = this.#string(place.origin.path);
    const mark = exports.beginSet();
    exports.newAttr(this.#core.write(encodeUtf8('file')), file);
    exports.newAttr(this.#core.write(encodeUtf8('line')), exports.newInt(place.line));
    exports.newAttr(this.#core.write(encodeUtf8('column')), exports.newInt(place.column));
    return exports.endSet(mark);
  }

  *#ensurePath(): Steps<Address> {
    const path = this.#bytes(0);
    if (this.#io.realise === undefined) yield* this.#expectValid(path);
    else yield* need(this.#realised([{ kind: 'path', storePath: decodeUtf8(path) }]));
    return this.#core.exports.nullValue();
  }

  *#expectValid(path: Uint8Array): Steps<void> {
    if (yield* need(this.#io.isValidStorePath(path))) return;
    throw new EvalIOError('not-found', `path '${decodeUtf8(path)}' is not valid`, { path });
  }

  *#realise(): Steps<Address> {
    const context = this.#context(0);
    const output = firstOutput(context);
    if (this.#io.realise !== undefined && (this.#importsFromDerivations || output === undefined)) {
      return this.#list(yield* need(this.#realised(context)));
    }
    for (const element of context) yield* this.#expectValid(encodeUtf8(basePath(element)));
    if (output === undefined) return this.#list(context.map(basePath));
    const reason = this.#importsFromDerivations
      ? 'building during evaluation is not supported here'
      : "the option 'allow-import-from-derivation' is disabled";
    const message = `cannot build '${output}' during evaluation because ${reason}`;
    throw new EvalIOError('not-supported', message);
  }

  /** Import from derivation, and what else an evaluation wants to be there. */
  #realised(context: readonly ContextElement[]): Answer<readonly string[]> {
    const realise = (): Answer<readonly string[]> => this.#io.realise?.(context) ?? [];
    if (currentTracing() === undefined) return realise();
    const attributes = { 'eval.context': context.map(basePath) };
    return callInSpan('eval.import-from-derivation', { attributes }, realise);
  }

  /** What the string that is an argument refers to. */
  #context(index: number): ContextElement[] {
    const { exports } = this.#core;
    const string = exports.requestArgument(index);
    return Array.from({ length: exports.contextSize(string) }, (_, i) =>
      parseContextElement(decodeUtf8(this.#core.read(exports.contextName(string, i)))),
    );
  }

  #list(texts: readonly string[]): Address {
    const list = this.#core.exports.newList(texts.length);
    for (const [index, text] of texts.entries()) this.#core.exports.setItem(list, index, this.#string(text));
    return list;
  }

  *#pathReferences(): Steps<Address> {
    const references = yield* need(this.#io.storePathReferences?.(this.#text(0)));
    return references === undefined ? this.#core.exports.nullValue() : this.#list(references);
  }

  *#fetch(): Steps<Address> {
    // The core has no other kinds.
    const kind = this.#text(0) as FetchRequest['kind'];
    const attributes = this.#fetchAttributes(1);
    if (this.#io.fetch === undefined) throw cannotFetch(kind, attributes);
    const fetch = this.#io.fetch.bind(this.#io);
    const fetched = yield* need(
      callInSpan('eval.fetch', { attributes: { 'fetch.kind': kind } }, () =>
        fetch({ kind, attributes, pure: this.#isPure }),
      ),
    );
    const { exports } = this.#core;
    const outPath = exports.newStorePath(this.#core.write(encodeUtf8(fetched.storePath)));
    const others = [...fetched.attributes].map(([name, value]) => [name, this.#attribute(value)] as const);
    const mark = exports.beginSet();
    exports.newAttr(this.#core.write(encodeUtf8('outPath')), outPath);
    for (const [name, value] of others) exports.newAttr(this.#core.write(encodeUtf8(name)), value);
    return exports.endSet(mark);
  }

  #fetchAttributes(index: number): FetchRequest['attributes'] {
    const { exports } = this.#core;
    const value = exports.requestArgument(index);
    if (exports.valueKind(value) === valueKind.string) return this.#text(index);
    const attributes = new Map<string, FetchAttribute>();
    for (let rank = 0; rank < exports.setSize(value); rank++) {
      const name = decodeUtf8(this.#core.read(exports.attrNameAt(value, rank)));
      attributes.set(name, this.#fetchAttribute(exports.attrAt(value, rank)));
    }
    return attributes;
  }

  #fetchAttribute(value: Address): FetchAttribute {
    const { exports } = this.#core;
    const kind = exports.valueKind(value);
    if (kind === valueKind.bool) return Boolean(exports.boolValue(value));
    return kind === valueKind.int ? BigInt(exports.intValue(value)) : decodeUtf8(this.#core.read(value));
  }

  #attribute(value: FetchAttribute): Address {
    if (typeof value === 'boolean') return this.#core.exports.newBool(value);
    return typeof value === 'bigint' ? this.#core.exports.newInt(Number(value)) : this.#string(value);
  }

  *#hashFile(): Steps<Address> {
    const given = this.#bytes(0);
    const hashAlgorithm = this.#text(1) as AddPathOptions['hashAlgorithm'];
    const path = (yield* this.#paths.all(given)) ?? given;
    const added = yield* need(this.#io.hashFile({ path, hashAlgorithm }));
    return this.#string(encodeHex(added));
  }

  /** The core asks only after `createEvaluator` told it that the world hashes. */
  #hashBytes(): Address {
    const bytes = this.#core.view(this.#core.exports.requestArgument(0));
    const digest = this.#io.hashBytes?.(bytes, this.#text(1) as AddPathOptions['hashAlgorithm']);
    if (digest === undefined) throw new Error('the core wants a digest of a world that does not hash');
    return this.#string(encodeHex(digest));
  }

  *#searchPathEntry(): Steps<Address> {
    const entry = this.#bytes(0);
    if (entry[0] === slash || this.#currentDirectory !== undefined) {
      const path = normalise(
        entry[0] === slash ? entry : encodeUtf8(`${this.#currentDirectory}/${decodeUtf8(entry)}`),
      );
      if ((yield* this.#paths.all(path)) !== undefined) return this.#core.newPath(path);
    }
    const message = `Nix search path entry '${decodeUtf8(entry)}' does not exist, ignoring`;
    this.#io.message('warning', encodeUtf8(message));
    return this.#core.exports.nullValue();
  }

  *#resolveLinks(): Steps<Address> {
    const path = yield* this.#paths.all(this.#bytes(0));
    return path === undefined ? this.#core.exports.nullValue() : this.#core.newPath(path);
  }
}

const slash = 0x2f;

/** By their numbers in `assembly/values/value.ts`. */
const valueKind = { bool: 1, int: 2, string: 4 } as const;

const builtinOfFetch = {
  url: 'fetchurl',
  tarball: 'fetchTarball',
  git: 'fetchGit',
  mercurial: 'fetchMercurial',
  tree: 'fetchTree',
} as const;

/** Somebody embeds the evaluator: the playground, a program, a test. */
function cannotFetch(kind: FetchRequest['kind'], attributes: FetchRequest['attributes']): EvalIOError {
  const url = typeof attributes === 'string' ? attributes : attributes.get('url');
  const subject = typeof url === 'string' ? ` of '${url}'` : '';
  return new EvalIOError(
    'not-supported',
    `nothing can be fetched here: builtins.${builtinOfFetch[kind]}${subject}; this host has no fetchers, the command 'neve eval' has`,
  );
}

/** By their numbers in `host-request.ts`. */
const messageLevels: readonly MessageLevel[] = ['trace', 'evaluation warning', 'warning'];

/** Nix does not tell executable files from others. */
function plainType(type: FileType): string {
  return type === 'executable' ? 'regular' : type;
}

/** What follows the hash in a store path. */
function nameOfStorePath(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return base.slice(base.indexOf('-') + 1);
}

function pathSet(paths: readonly Uint8Array[]): PathSet {
  const keys = new Set(paths.map(byteKey));
  return { has: (relative) => keys.has(byteKey(relative)), paths: () => paths };
}
