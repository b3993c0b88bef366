/** A command line that cannot be obeyed: shown with a hint where to find help, exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
