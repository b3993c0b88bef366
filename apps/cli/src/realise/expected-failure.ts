/** Whether the world, the input or a build is to blame for an error; everything else is a bug. */
import { BuildError } from '@neve/build';
import { FetchError } from '@neve/fetch';
import { RealiseError } from '@neve/realise';
import { isExpected } from '../store/store-errors.ts';
import { UsageError } from '../usage-error.ts';

export function isExpectedFailure(error: unknown): error is Error {
  return (
    error instanceof RealiseError ||
    error instanceof BuildError ||
    error instanceof FetchError ||
    error instanceof UsageError ||
    isExpected(error)
  );
}
