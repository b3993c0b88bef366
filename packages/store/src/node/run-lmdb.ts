/** What the database throws, as errors of this package that name the folder. */
import { CastoreError } from '@neve/castore';
import type { LmdbEnvironment } from '@neve/castore/node';
import { StoreError } from '../store-error.ts';

/** Runs something that reads or writes, at once or later. Throws `StoreError` (`io`); errors of ours pass. */
export function runLmdb<T>(environment: LmdbEnvironment, what: 'read' | 'written', run: () => T): T {
  const convert = (cause: unknown): never => {
    if (cause instanceof StoreError || cause instanceof CastoreError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('io', `the database in '${environment.path}' cannot be ${what}: ${message}`, {
      cause,
    });
  };
  try {
    const result = run();
    // The type is that of a promise exactly when the value is one.
    return result instanceof Promise ? (result.catch(convert) as T) : result;
  } catch (cause) {
    return convert(cause);
  }
}
