/**
 * What the profiler of an evaluation has seen: the stacks of calls while time passed, and how often functions were called.
 *
 * A stack is a sequence of frames, the outermost first, as Nix's profiler has them: calls of functions and builtins, each
 * at the place where it was called. Forcing a thunk is no frame. Weights are ticks: one for every period that passed.
 */

export type FrameKind = 'lambda' | 'builtin' | 'functor' | 'derivation' | 'collector';

/** A place in a source: `line` and `column` count from 1. */
export type ProfilePlace = { readonly file: string; readonly line: number; readonly column: number };

/** A function that was called or ran. Two with the same `id` are the same. */
export type ProfileFunction = {
  readonly id: string;
  readonly kind: FrameKind;
  /** What it is bound to, the name of a builtin, or that of the derivation that is made. */
  readonly name: string | undefined;
  /** Where it is defined; builtins and the collector are nowhere. */
  readonly place: ProfilePlace | undefined;
};

export type ProfileFrame = {
  readonly function: ProfileFunction;
  /** Where it was called. */
  readonly site: ProfilePlace | undefined;
};

export type ProfileStack = {
  /** The outermost first. */
  readonly frames: readonly ProfileFrame[];
  /** Where the program was within the last frame. */
  readonly at: ProfilePlace | undefined;
  readonly ticks: number;
};

export type EvaluationProfile = {
  /** Milliseconds that a tick stands for; 0 when every call was one. */
  readonly tickMs: number;
  readonly stacks: readonly ProfileStack[];
  /** Exact numbers of calls by the program's own instructions, by the `id` of the function. */
  readonly calls: ReadonlyMap<string, number>;
  /** All functions in `stacks` and `calls`, by `id`. */
  readonly functions: ReadonlyMap<string, ProfileFunction>;
};
