/** What the page and the worker that evaluates for it say to each other. */

export type EvaluationRequest = {
  readonly id: number;
  readonly text: string;
  /** Files beside the expression, by their names. */
  readonly files: Readonly<Record<string, string>>;
  readonly features: readonly string[];
};

export type EvaluationAnswer = {
  readonly id: number;
  /** Whether `text` is a value; otherwise it is an error. */
  readonly isValue: boolean;
  readonly text: string;
  /** What `builtins.trace` and warnings printed. */
  readonly messages: readonly string[];
};
