/**
 * The evaluator as an embedder sees it. Programs and values are handles into the language core's memory: they belong
 * to the evaluator that gave them, and stay valid until it is disposed.
 *
 * Whatever goes wrong in a Nix program is an `EvaluationError`. All calls may wait for `EvalIO`.
 */
import type { CoreImage } from './core-image.ts';
import type { Diagnostic, Position } from '@neve/diagnostics';
import type { EvalIO } from './eval-io.ts';
import type { ProfilerOptions } from './profile/core-profiler.ts';
import type { EvaluationProfile } from './profile/profile.ts';

/** What decides how programs are evaluated; an evaluator never changes them. */
export type EvaluatorSettings = {
  readonly storeDir: string;
  /** `builtins.currentSystem`. */
  readonly currentSystem: string;
  readonly pureEval: boolean;
  readonly restrictEval: boolean;
  /** Entries of `builtins.nixPath`, first match first. */
  readonly nixPath: readonly SearchPathEntry[];
  /** `$HOME`, which `~/…` means; `undefined` when there is none. */
  readonly homeDirectory: string | undefined;
  /** What relative entries of the search path are relative to; without it there are none. */
  readonly currentDirectory?: string | undefined;
  readonly experimentalFeatures: ReadonlySet<string>;
  readonly maxCallDepth: number;
  /** Whether evaluation may wait for something to be built; it may, without it. */
  readonly allowImportFromDerivation?: boolean | undefined;
  readonly traceVerbose: boolean;
  readonly abortOnWarn: boolean;
  /** Collects the frames of function calls, which cost time and are shown only with the whole trace. */
  readonly showTrace: boolean;
  /** Whether derivations and texts are written to the store; otherwise only their paths are computed. */
  readonly writesStore: boolean;
  /** Bytes of heap above which the core collects; its own choice without it. Small values find bugs, not memory. */
  readonly heapThresholdBytes?: number | undefined;
  /**
   * Bytes of memory that the core may use: values, code and the stack. As the collector copies, about half of it can be alive. An
   * evaluation that needs more fails with `OutOfMemory`. Without it 4 GiB, which is also the most, unless `core` is the one with
   * 64-bit addresses: then 12 GiB. At least 8 MiB.
   */
  readonly maxHeapBytes?: number | undefined;
  /**
   * Collects after every so many calls, or instructions in the debug build of the core, and poisons what was left behind. To find
   * bugs of the core.
   */
  readonly collectionInterval?: number | undefined;
  /**
   * How many evaluations may wait for the world at a time: the one that was asked for, and what it will want anyway.
   * 256 without it, 1 evaluates one thing after the other.
   */
  readonly maxConcurrentFibers?: number | undefined;
  readonly lintUrlLiterals?: LintLevel | undefined;
  readonly lintShortPathLiterals?: LintLevel | undefined;
  readonly lintAbsolutePathLiterals?: LintLevel | undefined;
};

/** Impure evaluation without a search path, an environment or experimental features; the store is not written to. */
export const defaultSettings: EvaluatorSettings = {
  storeDir: '/nix/store',
  currentSystem: 'x86_64-linux',
  pureEval: false,
  restrictEval: false,
  nixPath: [],
  homeDirectory: undefined,
  experimentalFeatures: new Set<string>(),
  maxCallDepth: 10_000,
  traceVerbose: false,
  abortOnWarn: false,
  showTrace: false,
  writesStore: false,
};

/** What is done about something in a source that a setting frowns upon. */
export type LintLevel = 'ignore' | 'warn' | 'fatal';

/** `prefix=path`, or a path whose entries are all found. */
export type SearchPathEntry = {
  readonly prefix: string;
  readonly path: string;
};

export type Source =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'string' | 'stdin';
      readonly text: Uint8Array | string;
      /** The absolute directory that relative paths in the text are relative to. */
      readonly directory: string;
    };

/** A source that was read without a syntax error. */
export interface Program {
  readonly handle: number;
}

/** A Nix value, perhaps not evaluated yet. */
export interface Value {
  readonly handle: number;
}

/** A derivation that `neve instantiate` prints. */
export type DerivationOutput = {
  readonly drvPath: string;
  readonly outputName: string;
};

/** What a value is, as far as it is evaluated. */
export type ValueDescription = {
  /** `thunk` is not evaluated, `builtin` a builtin with all, some or none of its arguments missing. */
  readonly kind: ValueKind;
  /** As `nix-instantiate --eval` prints it, cut after some length; of a set or list the text is empty. */
  readonly text: string;
  /** Number of attributes or items. */
  readonly size: number;
  /** A set whose `type` is evaluated, and is `derivation`. */
  readonly isDerivation: boolean;
};

export type ValueKind =
  | 'thunk'
  | 'null'
  | 'bool'
  | 'int'
  | 'float'
  | 'string'
  | 'path'
  | 'list'
  | 'set'
  | 'lambda'
  | 'builtin';

/** An attribute (with its name) or an item of a value. */
export type ValuePart = {
  readonly name: string | undefined;
  readonly value: Value;
};

/** How `nix repl` prints: what is in a set or list on lines of its own. */
export type PrintLayout = {
  /** What is nested deeper is `{ ... }` and not evaluated; no limit without it. */
  readonly depth?: number | undefined;
  readonly colour: boolean;
};

export type FunctionSource = {
  /** The attribute that it is bound to. */
  readonly name: string | undefined;
  readonly position: Position | undefined;
  /** Where its doc comment begins. */
  readonly documentation: Position | undefined;
};

/** A line of a syntax tree: a node, or a binding, a formal or an `inherit`. */
export type SyntaxNode = {
  /** `Call`, `Lambda`, `Binding` …: the names of `packages/language/assembly/syntax/outline.ts`. */
  readonly kind: string;
  /** Where its position is in the source, in bytes: the beginning, or the operator; `undefined` is nowhere. */
  readonly offset: number | undefined;
  /** What it is to its parent, such as `condition`, or empty. */
  readonly role: string;
  /** A name or a literal, or empty. */
  readonly label: string;
  readonly children: readonly SyntaxNode[];
};

/** A piece of code that is run as a whole: a file, something that is evaluated when it is needed, or a function. */
export type CodeBlock = {
  readonly kind: 'file' | 'thunk' | 'lambda';
  /** In the source, in bytes. */
  readonly offset: number | undefined;
  /** The attribute that a function is bound to, or empty. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
};

export type Instruction = {
  readonly offset: number | undefined;
  readonly name: string;
  /** `@3` is a block by its index, `>3` the instruction of this block that a jump leads to. */
  readonly operands: string;
};

/** How a program is seen by the compiler. */
export type ProgramOutline = {
  readonly tree: SyntaxNode;
  readonly code: readonly CodeBlock[];
};

export interface Evaluator {
  /** Reads a source; a directory means its `default.nix`. */
  parse(source: Source): Promise<Program>;

  /**
   * Reads a text in a scope: the attributes of an evaluated set are its variables. `bindings` are the inside of a set that is
   * not recursive, and that set is their value; the last semicolon may be missing.
   */
  parseIn(
    source: Exclude<Source, { readonly kind: 'file' }>,
    options: { readonly scope: Value; readonly form: 'expression' | 'bindings' },
  ): Promise<Program>;

  /** Files that are imported from now on are read again. */
  forgetFiles(): void;

  /**
   * Ends what is being evaluated: its promise is rejected with `reason`, and what it had begun is as if it had not. Only
   * where the evaluator was made to be interruptible.
   */
  interrupt(reason: Error): void;

  /** The program as Nix prints what it parsed (`nix-instantiate --parse`). */
  printProgram(program: Program): Uint8Array;

  /** The tree and the code of a source, whether or not its variables are defined. Nothing is evaluated. */
  outline(source: Source): Promise<ProgramOutline>;

  evaluate(program: Program): Promise<Value>;

  /** Evaluates a value so far that it can be described. */
  force(value: Value): Promise<Value>;

  /** What a value is. Nothing is evaluated. */
  describe(value: Value): ValueDescription;

  /** Where a function is written; undefined for every other value. Nothing is evaluated. */
  functionSource(value: Value): FunctionSource | undefined;

  /** Where an attribute of an evaluated set is defined. */
  attributePosition(set: Value, name: string): Position | undefined;

  /** Some of the parts of a set, in the order of its names, or of a list. They are values of their own, to be released. */
  parts(value: Value, range: { from: number; count: number }): readonly ValuePart[];

  /** The names of a set in their order; none of anything else. Nothing is evaluated. */
  attributeNames(value: Value): readonly string[];

  /** An attribute of a set, perhaps not evaluated yet: a value of its own. `undefined` when there is none. */
  attribute(value: Value, name: string): Value | undefined;

  /** A set of values that are told apart as Nix tells sets apart: `y` in `rec { x = { }; y = x; }` is `x`, another `{ }` is not. */
  distinctValues(): DistinctValues;

  /** Gives a value up: its handle means nothing any more. */
  release(value: Value): void;

  /** A value that is evaluated when it is needed, as `--arg` gives one. */
  delay(program: Program): Value;

  string(text: Uint8Array): Value;

  /** Calls a function of a set with those arguments that it names; every other value stays itself. */
  autoCall(value: Value, args: ReadonlyMap<string, Value>): Promise<Value>;

  /** Follows an attribute path (`a."b.c".0`), calling functions on the way; an empty path is the value itself. */
  select(value: Value, options: { path: string; args: ReadonlyMap<string, Value> }): Promise<Value>;

  /** Evaluates everything inside a value. */
  forceDeep(value: Value): Promise<void>;

  /** As `nix-instantiate --eval` prints a value; what is not evaluated is `«thunk»`. */
  print(value: Value): Promise<Uint8Array>;

  /**
   * As `nix eval` prints a value: everything inside is evaluated, and what fails there is shown as `«error: …»`. Derivations
   * are shown as their paths. With a layout, as `nix repl` prints it.
   */
  printEvaluated(value: Value, layout?: PrintLayout): Promise<Uint8Array>;

  toJSON(value: Value, options: { strict: boolean }): Promise<Uint8Array>;

  toXML(value: Value, options: { location: boolean; strict: boolean }): Promise<Uint8Array>;

  /** The bytes of a string, or of what coerces to one (`--raw`). */
  toRaw(value: Value): Promise<Uint8Array>;

  /** The derivations in a value: itself, or those of a set or list that says to be searched. */
  derivations(value: Value, args: ReadonlyMap<string, Value>): Promise<readonly DerivationOutput[]>;

  /** The path that `<name>` means. */
  findFile(name: string): Promise<string>;

  /**
   * The next collection comes when the heap has so many bytes, if it was to come sooner; not under a limit of `maxHeapBytes`. For who
   * has a use for the evaluator only as long as it is not too large. Collecting a heap above 2 GiB may find no room for what is alive.
   */
  postponeCollection(heapBytes: number): void;

  /** Counters in the form of Nix's `NIX_SHOW_STATS`. */
  stats(): Readonly<Record<string, unknown>>;

  /** What the profiler has seen so far; undefined unless the evaluator was made with one. */
  profile(): EvaluationProfile | undefined;

  /** What was found in the image, and what there is for one. */
  imageUse(): ImageUse;

  /** What later evaluations can go on from. The evaluator must not be used afterwards. */
  takeImage(): CoreImage;
}

/** Values that were met. It keeps them alive. */
export interface DistinctValues {
  /** Whether an evaluated value is new. */
  add(value: Value): boolean;
}

/** A failure of a Nix program. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly diagnostic: Diagnostic;
  /** A word was wrong of which there are few: what a program's help would tell, Nix says. */
  readonly isUsageError: boolean;

  constructor(diagnostic: Diagnostic, options: { cause?: unknown; isUsageError?: boolean } = {}) {
    super(diagnostic.message, options.cause === undefined ? {} : { cause: options.cause });
    this.diagnostic = diagnostic;
    this.isUsageError = options.isUsageError ?? false;
  }
}

export type EvaluatorOptions = {
  /** The compiled language core; a program keeps one for all its evaluators. */
  readonly core: WebAssembly.Module;
  readonly io: EvalIO;
  /** What is not given is as in `defaultSettings`. */
  readonly settings?: Partial<EvaluatorSettings>;
  /**
   * Lets the event loop in now and then, so that `interrupt` can be called while something is evaluated; and evaluates again
   * what has failed, when it is needed again.
   */
  readonly isInterruptible?: boolean | undefined;
  /**
   * Is called every few milliseconds while something is evaluated. If it returns a promise, the evaluation goes on when that is
   * fulfilled, and fails with the reason when it is rejected: so a host can let its event loop come, and end an evaluation whose
   * evaluator is not needed any more. Not together with `isInterruptible`.
   */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  /** Profiles what is evaluated. */
  readonly profiler?: ProfilerOptions | undefined;
  /** Prepares the evaluation for an image. Not together with a profiler. */
  readonly images?: ImageOptions | undefined;
};

export type ImageOptions = {
  /** What the world is asked for after this belongs to what is shared, or to this evaluation alone. */
  enterRegion?(region: 'own' | 'shared'): void;
  /**
   * Is called before anything of a package tree is evaluated, which is what an image has, with the file that comes first. What
   * it throws ends the evaluation.
   */
  beforeTree?(file: string): void;
};

/** What has become of images in an evaluation. */
export type ImageUse = {
  /** Whether the evaluation has gone on from the image: one that is damaged is not used. */
  readonly isResumed: boolean;
  /** How large what was shared was at the beginning. */
  readonly keptBytes: number;
  /** By how much what can be kept has grown, garbage included. */
  readonly addedBytes: number;
  /** How many calls were answered from the image, and how many were made that a new one would have. */
  readonly found: number;
  readonly made: number;
  /** Whether an error may have come from comparing with the image alone: then only an evaluation without it tells. */
  readonly isInDoubt: boolean;
  /** Whether an image of this evaluation is of no use, since the clock may matter. */
  readonly dependsOnClock: boolean;
};
