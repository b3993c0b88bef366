/** A command line that cannot be obeyed: shown with a hint where to find help, exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What may have been meant, the nearest first. */
  readonly suggestions: readonly string[];

  constructor(message: string, { suggestions = [] }: { readonly suggestions?: readonly string[] } = {}) {
    super(message);
    this.suggestions = suggestions;
  }
}
