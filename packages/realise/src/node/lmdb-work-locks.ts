/** Work locks among the processes that use one LMDB environment, in its table 'work': a row for each path that is being made. */
import { LmdbEnvironment, ProcessLocks } from '@neve/castore/node';
import type { LockOptions, WorkLocks } from '../work-locks.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbWorkLocks(path: string): Promise<WorkLocks & AsyncDisposable> {
  const environment = await LmdbEnvironment.open(path);
  const locks = new ProcessLocks(environment, 'work');
  return {
    acquire: (keys: readonly string[], options?: LockOptions) =>
      locks.acquire(
        keys.map((key) => Buffer.from(key)),
        options,
      ),
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
  };
}
