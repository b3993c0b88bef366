/**
 * What is shown to a user: an error with the frames that led to it, or a warning. It is data; `renderDiagnostic`
 * turns it into text.
 */

export type Origin =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'string' }
  | { readonly kind: 'stdin' }
  /** What the evaluator has in itself: the function `derivation`. */
  | { readonly kind: 'internal' };

/** A place in a source. */
export type Position = {
  readonly origin: Origin;
  /** From 1; 0 when it is not known, and then no code is shown. */
  readonly line: number;
  /** From 1, in bytes; 0 when it is not known. */
  readonly column: number;
  /** The whole source, asked for only when code is shown; `undefined` when it cannot be read any more. */
  readonly source?: () => Uint8Array | undefined;
};

/** One step of the way to an error, outermost first. */
export type Trace = {
  readonly message: string;
  readonly position?: Position | undefined;
  /** Shown although the trace is truncated: what `builtins.addErrorContext` said. */
  readonly always?: boolean;
};

export type DiagnosticKind = 'error' | 'warning' | 'evaluation warning' | 'note';

export type Diagnostic = {
  readonly kind: DiagnosticKind;
  readonly message: string;
  readonly position?: Position | undefined;
  readonly traces: readonly Trace[];
  /** Names that may have been meant, best first: `findSuggestions` gives them. */
  readonly suggestions: readonly string[];
};
