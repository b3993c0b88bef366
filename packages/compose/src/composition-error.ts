/** What went wrong in a composition. Codes are stable, messages are not. */

/**
 * - `bad-toml`: the file is not TOML.
 * - `bad-url`: a service URL cannot be read, or has a part which its type does not take.
 * - `bad-name`: an instance has a name that a reference could not spell.
 * - `unknown-kind`, `unknown-type`, `unknown-option`, `unknown-instance`: a name that nobody has registered or configured.
 * - `missing-option`, `bad-option`: an option that is required and absent, or has a wrong value.
 * - `cycle`: an instance needs itself.
 * - `build-failed`: a service could not be started; `cause` says why.
 * - `disposed`: a service was asked for after the composition was disposed of.
 * - `dispose-failed`: some services could not be closed; `cause` is an `AggregateError`.
 */
export type CompositionErrorCode =
  | 'bad-toml'
  | 'bad-url'
  | 'bad-name'
  | 'unknown-kind'
  | 'unknown-type'
  | 'unknown-option'
  | 'unknown-instance'
  | 'missing-option'
  | 'bad-option'
  | 'cycle'
  | 'build-failed'
  | 'disposed'
  | 'dispose-failed';

/** One mistake in a configuration. */
export type Problem = {
  readonly code: CompositionErrorCode;
  /** The place as the user would write it, `blobservices.root.near`; empty for the whole file. */
  readonly path: string;
  /** Counted from 1, in the file that was read; absent when the mistake was not in a file. */
  readonly line?: number;
  readonly message: string;
  /** What to do next, as a phrase: `did you mean "near"?`. */
  readonly hint?: string;
};

export class CompositionError extends Error {
  override readonly name = 'CompositionError';
  /** The code of the first problem. */
  readonly code: CompositionErrorCode;
  /** Every mistake that was found, in the order of the file; at least one. */
  readonly problems: readonly Problem[];

  constructor(problem: Problem, options?: ErrorOptions & { source?: string; more?: readonly Problem[] }) {
    const problems = [problem, ...(options?.more ?? [])];
    super(problems.map((it) => printProblem(it, options?.source)).join('\n'), options);
    this.code = problem.code;
    this.problems = problems;
  }
}

/** `store.toml:3: blobservices.root.nera: unknown option; did you mean "near"?` */
function printProblem({ path, line, message, hint }: Problem, source: string | undefined): string {
  const place = source === undefined ? '' : line === undefined ? `${source}: ` : `${source}:${line}: `;
  const subject = path === '' ? '' : `${path}: `;
  return `${place}${subject}${message}${hint === undefined ? '' : `; ${hint}`}`;
}
