/** Whether the world, the input or a build is to blame for an error; everything else is a bug. */
import { FetchError } from '@neve/fetch';
import { RealiseError } from '@neve/realise';
import { isExpected } from '../expected-errors.ts';
import { UsageError } from '../usage-error.ts';

export function isExpectedFailure(error: unknown): error is Error {
  return (
    error instanceof RealiseError ||
    error instanceof FetchError ||
    error instanceof UsageError ||
    isExpected(error)
  );
}

/** Carries a message to the script that shows it, which knows none of the classes above but this one's name. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** Throws `CommandFailure` for what the world or the input is to blame for. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isExpectedFailure(error) ? new CommandFailure(error.message, { cause: error }) : error;
  }
}
