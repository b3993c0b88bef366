/** What a user is told of an error that nobody expected: that it is a bug, and where it happened. */
export function bugText(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `this is a bug in Neve, please report it\n${stack}`;
}
