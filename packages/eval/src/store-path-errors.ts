/** Errors of store paths, as those of a world: what is wrong with a store path is the caller's to say to the user. */
import { NixCompatError } from '@neve/nix-compat';
import { EvalIOError } from './eval-io.ts';

/** What `compute` gives. Throws `EvalIOError` (`not-in-store`, `invalid-name`) instead of `NixCompatError`. */
export function asIOError<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof NixCompatError)) throw error;
    const code = error.code === 'not-in-store' ? 'not-in-store' : 'invalid-name';
    throw new EvalIOError(code, error.message, { cause: error });
  }
}
