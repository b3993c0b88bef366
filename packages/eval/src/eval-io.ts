/**
 * What the evaluator needs from the world: files, the store, the environment, the clock, and a place for messages.
 *
 * Paths are absolute and canonical: bytes that start with `/`, without `.`, `..`, empty components or a trailing
 * `/` (the root is `/`). They need not be valid UTF-8. Only the last component may be a symlink that is meant as
 * itself: the evaluator resolves those before it, so an implementation uses `lstat` and never resolves the last.
 *
 * An answer comes at once or as a promise. An implementation that can answer at once does, since waiting costs the
 * evaluator a suspension. While one answer is awaited others are asked for, what is the same more than once: whoever builds
 * or fetches does it once. Neither side changes an array that it handed over or was given, and both may keep it.
 *
 * Every failure is an `EvalIOError`; anything else that is thrown is a bug of the implementation.
 */
import type { Position } from '@neve/diagnostics';
import type { HashAlgorithm } from '@neve/bytes';

/** At once or later. */
export type Answer<T> = T | Promise<T>;

/** What is made of an answer, at once where it is there. */
export function afterAnswer<T, U>(answer: Answer<T>, use: (value: T) => U): Answer<U> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}

/** What a path is, without following it; `unknown` is a device, a socket or a fifo. */
export type FileType = 'regular' | 'executable' | 'directory' | 'symlink' | 'unknown';

/** One name in a directory. Whether a file is executable is not told here: it would take a look at every file. */
export type DirectoryEntry = {
  readonly name: Uint8Array;
  readonly type: Exclude<FileType, 'executable'>;
};

/** How the contents of a path become a store object. */
export type IngestionMethod = 'flat' | 'nar' | 'text' | 'git';

/** A request to copy a path into the store, as `builtins.path`, `filterSource` and path coercion make it. */
export type AddPathOptions = {
  readonly path: Uint8Array;
  /** The name part of the store path. */
  readonly name: string;
  readonly method: IngestionMethod;
  readonly hashAlgorithm: HashAlgorithm;
  /**
   * With a filter, the paths that it accepted, relative to `path`, `/`-separated, without a leading `/`. An entry
   * of a directory which is not in the set is left out. The root is always accepted.
   */
  readonly accepted?: PathSet | undefined;
  /** The digest that the contents must have; another is `hash-mismatch`. */
  readonly expected?: Uint8Array | undefined;
};

/** A set of relative paths, by their bytes. */
export interface PathSet {
  has(relativePath: Uint8Array): boolean;
  /** Every path, in no particular order: what sends a set to another thread needs it, and the evaluator's have it. */
  paths?(): Iterable<Uint8Array>;
}

/** A path that is in the store, or would be if the store were written to. */
export type AddedPath = {
  readonly storePath: string;
  /** The digest of the contents by the method and algorithm that were asked for. */
  readonly digest: Uint8Array;
};

export type HashFileOptions = {
  readonly path: Uint8Array;
  readonly hashAlgorithm: HashAlgorithm;
};

export type AddTextOptions = {
  readonly name: string;
  readonly contents: Uint8Array;
  /** Absolute store paths that the text mentions. */
  readonly references: readonly string[];
};

export type WriteDerivationOptions = {
  /** The name of the file, `.drv` included. */
  readonly name: string;
  /** The derivation in ATerm form; valid during the call. What it refers to is its inputs. */
  readonly contents: Uint8Array;
  /** The path that the evaluator computed for it; an implementation writes there and nowhere else. */
  readonly storePath: string;
};

/** What a string refers to, by which the store knows what its user needs. */
export type ContextElement =
  /** A store object. */
  | { readonly kind: 'path'; readonly storePath: string }
  /** An output of a derivation. */
  | { readonly kind: 'output'; readonly drvPath: string; readonly outputName: string }
  /** A derivation with all that it needs and makes: as a store object only its file is wanted. */
  | { readonly kind: 'derivation'; readonly drvPath: string };

/** What `builtins.fetchurl` and its like want, after their arguments were checked. */
export type FetchRequest = {
  /** The builtin: `fetchurl`, `fetchTarball`, `fetchGit`, `fetchMercurial`, `fetchTree`. */
  readonly kind: 'url' | 'tarball' | 'git' | 'mercurial' | 'tree';
  /**
   * For `url` and `tarball`: `url`, `name`, and perhaps `sha256` as SRI. For the others what the program gave, with the
   * defaults of the builtin (`exportIgnore`, `shallow`; Mercurial's `name`, and `rev` or `ref`). `fetchTree` of a
   * string, which needs the feature `flakes`, is that string.
   */
  readonly attributes: ReadonlyMap<string, FetchAttribute> | string;
  /** Pure evaluation: what is not locked must be refused. */
  readonly pure: boolean;
};

export type FetchAttribute = string | bigint | boolean;

export type FetchedTree = {
  readonly storePath: string;
  /** What a program gets to know besides `outPath`: of `url` and `tarball` nothing. */
  readonly attributes: ReadonlyMap<string, FetchAttribute>;
};

/** `builtins.trace`, a warning of the evaluator itself, `builtins.warn`. */
export type MessageLevel = 'trace' | 'warning' | 'evaluation warning';

/** What a message is about. */
export type MessageSubject = {
  /** The place in a source. */
  readonly position?: Position | undefined;
  /** What was being done. */
  readonly doing?: string | undefined;
};

export interface EvalIO {
  /** The contents of a regular file, following a symlink. */
  readFile(path: Uint8Array): Answer<Uint8Array>;

  /**
   * As `readFile`, for a reader that looks at the contents once: `use` gets an array which is valid only during the
   * call. An implementation that has it spares an array for every source; without it `readFile` is asked.
   */
  withContents?<T>(path: Uint8Array, use: (contents: Uint8Array) => T): Answer<T>;

  /** What a path is; `undefined` when it does not exist, also because a parent is not a directory. */
  fileType(path: Uint8Array): Answer<FileType | undefined>;

  /** The entries of a directory, in no particular order, without `.` and `..`. */
  readDirectory(path: Uint8Array): Answer<readonly DirectoryEntry[]>;

  /** The target of a symlink, as it is written there. */
  readLink(path: Uint8Array): Answer<Uint8Array>;

  /** A variable of the environment that evaluation may see; `undefined` when it is not set. */
  environmentVariable(name: Uint8Array): Uint8Array | undefined;

  /** Seconds since 1970, the same for a whole evaluation. */
  currentTime(): number;

  /** Copies a path into the store, or computes where it would be if the store is read only. */
  addPathToStore(options: AddPathOptions): Answer<AddedPath>;

  /** The digest of a file's contents, following a symlink. */
  hashFile(options: HashFileOptions): Answer<Uint8Array>;

  /** Writes a text with references into the store (`builtins.toFile`); returns its store path. */
  addTextToStore(options: AddTextOptions): Answer<string>;

  /** Writes a derivation into the store; nothing happens when the store is read only. */
  writeDerivation(options: WriteDerivationOptions): Answer<void>;

  /** Whether a path is a store object that is there: `/nix/store/<hash>-<name>`, no more and no less. */
  isValidStorePath(path: Uint8Array): Answer<boolean>;

  /** The store object at a path or above it (`builtins.storePath`); `not-in-store` when there is none. */
  toStorePath(path: Uint8Array): Answer<string>;

  /** The store paths that a valid store object refers to; `undefined` when it is not valid. None, without it. */
  storePathReferences?(storePath: string): Answer<readonly string[] | undefined>;

  /**
   * Makes everything in a context valid, building and fetching what is missing; returns the store path of each element.
   * A path that cannot be made valid is `not-found` ("path '…' is not valid"). Asked where the contents are wanted
   * (import from derivation). Without it nothing is built: what is not there is an error.
   */
  realise?(context: readonly ContextElement[]): Answer<readonly string[]>;

  /** Fetches, or finds out what would be fetched. Without it all builtins that fetch fail. */
  fetch?(request: FetchRequest): Answer<FetchedTree>;

  /**
   * The digest of bytes, at once. An implementation has it where it is faster than the evaluator, which otherwise
   * computes the digests of strings itself; never asked for BLAKE3. The bytes are valid during the call only.
   */
  hashBytes?(bytes: Uint8Array, hashAlgorithm: HashAlgorithm): Uint8Array;

  /** Shows something to the user. */
  message(level: MessageLevel, text: Uint8Array, about?: MessageSubject): void;
}

/** Stable reasons for which the world refuses. */
export type EvalIOErrorCode =
  | 'not-found'
  | 'is-directory'
  | 'not-a-directory'
  | 'not-a-symlink'
  | 'symlink-loop'
  | 'permission-denied'
  | 'too-large'
  | 'invalid-name'
  | 'unsupported-file'
  | 'hash-mismatch'
  | 'not-in-store'
  | 'not-supported'
  | 'io-error';

/** A refusal of the world, with a message in the words of Nix: it becomes an evaluation error as it is. */
export class EvalIOError extends Error {
  override readonly name = 'EvalIOError';
  readonly code: EvalIOErrorCode;
  readonly path: Uint8Array | undefined;

  constructor(code: EvalIOErrorCode, message: string, options: { path?: Uint8Array; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.path = options.path;
  }
}
