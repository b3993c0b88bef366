/**
 * The exit code for failed builds, as Nix has it: 96, with a bit for each kind of failure among them. What no bit is for gives
 * 1: outputs that are missing or not allowed, limits but those of time, and builds that may use the network and failed.
 *
 *     4   a builder failed, or one of the next two happened  100
 *     1   one ran, or was silent, for too long               101
 *     2   a fixed output was not what was specified          102
 *     8   a second build gave something else                 104
 */
import { BuildError } from '@neve/build';
import { FetchError } from '@neve/fetch';
import { RealiseError } from '@neve/realise';

export function exitCodeOf(failures: readonly Error[]): number {
  const bits = combined(failures);
  if (failures.length === 0) return 0;
  return bits === 0 ? 1 : 0x60 | bits;
}

function bitsOf(failure: unknown): number {
  if (failure instanceof FetchError) return failure.code === 'hash-mismatch' ? 4 | 2 : 0;
  if (!(failure instanceof RealiseError)) return 0;
  switch (failure.code) {
    case 'failed-dependency':
      return combined(failure.failures);
    case 'timeout':
      return 4 | 1;
    case 'hash-mismatch':
      return 4 | 2;
    case 'not-reproducible':
      return 8;
    case 'failed':
      return failure.cause instanceof BuildError && failure.cause.code === 'failed' ? 4 : 0;
    case 'invalid-derivation':
    case 'builtin-failed':
    case 'unsupported-system':
      return 4;
    default:
      return 0;
  }
}

function combined(failures: readonly unknown[]): number {
  return failures.reduce<number>((all, failure) => all | bitsOf(failure), 0);
}
