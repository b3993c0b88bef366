/**
 * What the page and the worker in which Nix runs tell each other. Every request has a number, and is answered once with
 * that number; the worker does one after the other. A value is a handle, which means something until the next `evaluate`.
 */
import type { CodeBlock, SyntaxNode, ValueKind } from '@neve/eval';

/** The files of a program by their names, which have no `/`. */
export type Files = Readonly<Record<string, string>>;

export type EvaluateRequest = {
  readonly kind: 'evaluate';
  readonly files: Files;
  /** The file that is evaluated. */
  readonly main: string;
  /** Evaluates everything inside the value at once. */
  readonly strict: boolean;
};

export type Request =
  | EvaluateRequest
  /** Evaluates a part of the last value. */
  | { readonly kind: 'force'; readonly handle: number }
  | { readonly kind: 'parts'; readonly handle: number; readonly from: number; readonly count: number }
  /** The tree and the code of one file. */
  | { readonly kind: 'outline'; readonly files: Files; readonly main: string }
  /** Evaluates once more, and sees where the time goes: `frequency` looks a second, or with 0 at every call. */
  | (Omit<EvaluateRequest, 'kind'> & { readonly kind: 'profile'; readonly frequency: number })
  /** What there is in `builtins`. */
  | { readonly kind: 'builtins' };

export type Numbered<T> = T & { readonly id: number };

export type Answers = {
  readonly evaluate: Evaluation;
  readonly force: Forced;
  readonly parts: readonly NamedValue[];
  readonly outline: Outline;
  readonly profile: Profile;
  readonly builtins: readonly BuiltinName[];
};

export type Response =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  /** A bug, never a failure of the program. */
  | { readonly id: number; readonly bug: string };

/** One level of a value. */
export type ValueView = {
  readonly handle: number;
  readonly kind: ValueKind;
  /** As Nix prints it; empty for a set or list. */
  readonly text: string;
  readonly size: number;
  readonly isDerivation: boolean;
};

export type NamedValue = { readonly name: string | undefined; readonly value: ValueView };

export type Forced =
  | { readonly value: ValueView; readonly effects: Effects }
  | { readonly problem: Problem; readonly effects: Effects };

export type Evaluation = Forced & {
  /** The value as `nix-instantiate --eval` prints it, cut after some length; what is not evaluated is `«thunk»`. */
  readonly printed: string | undefined;
  readonly phases: readonly Phase[];
  readonly counters: Readonly<Record<string, number>>;
};

export type Phase = { readonly name: string; readonly milliseconds: number };

/** What evaluation did to the world, all of it since `evaluate`. */
export type Effects = {
  readonly derivations: readonly DerivationView[];
  readonly messages: readonly Problem[];
};

/** A derivation that arose. */
export type DerivationView = {
  readonly path: string;
  readonly name: string;
  readonly system: string;
  readonly builder: string;
  /** Store paths of its outputs by name; `undefined` where the path follows from the contents. */
  readonly outputs: readonly { readonly name: string; readonly path: string | undefined }[];
  /** Paths of the derivations that it needs. */
  readonly inputs: readonly string[];
  /** Store paths of the sources that it needs. */
  readonly sources: readonly string[];
  readonly aterm: string;
  readonly json: string;
};

/** Something that is said about a program: an error, a warning, a trace. */
export type Problem = {
  readonly severity: 'error' | 'warning' | 'trace';
  readonly message: string;
  /** With the code around it and the trace, as the command prints it. */
  readonly rendered: string;
  readonly place: Place | undefined;
  /** The way to the error, outermost first. */
  readonly traces: readonly { readonly message: string; readonly place: Place | undefined }[];
};

/** A place in a file of the program: line from 1, column from 1 in bytes. */
export type Place = { readonly file: string; readonly line: number; readonly column: number };

export type Outline =
  | { readonly tree: SyntaxNode; readonly code: readonly CodeBlock[] }
  | { readonly problem: Problem };

export type BuiltinName = { readonly name: string; readonly kind: ValueKind };

/** Where the time went. A tick is `tickMs` milliseconds, or one call when that is 0. */
export type Profile = { readonly root: FlameNode; readonly tickMs: number };

/** A function within its callers, and what was called in it. */
export type FlameNode = {
  readonly name: string;
  readonly place: Place | undefined;
  /** In it and in what it called. */
  readonly ticks: number;
  readonly children: readonly FlameNode[];
};
