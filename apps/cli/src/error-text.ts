/** Errors of the commands for stores and caches on their way to the user. Those that evaluate have `report-error.ts`. */
import { log } from '@neve/telemetry';
import { bugText } from './bug-text.ts';
import { isExpected } from './expected-errors.ts';
import { write } from './output.ts';
import { UsageError } from './usage-error.ts';
import { usageHint } from './usage-hint.ts';

/** What is none of ours is a bug, and is shown with its stack. */
export function errorText(error: unknown): string {
  return error instanceof UsageError || isExpected(error) ? error.message : bugText(error);
}

/** Writes it to standard error and gives the exit code. `command` is what comes after `neve`. */
export function reportFailure(error: unknown, command: string): number {
  const text = errorText(error);
  log('error', text);
  write(
    2,
    `error: ${text}
`,
  );
  if (error instanceof UsageError) write(2, usageHint(error, command));
  return 1;
}
