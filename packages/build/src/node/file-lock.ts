/**
 * Locks of files that the kernel takes back when their process ends, however it ends (`flock`): whether the owner of
 * something still runs is whether its file is locked. That is true across containers too, unlike numbers of processes.
 */
import { close, open } from 'node:fs';
import { promisify } from 'node:util';
import { cLibrary } from './c-library.ts';

const exclusive = 2;
const withoutWaiting = 4;

const openFile = promisify(open);
const closeFile = promisify(close);

export type FileLock = AsyncDisposable;

/** Makes the file if need be; `undefined` when somebody else has it. Throws what the file system throws. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const { flock } = await cLibrary();
  const file = await openFile(path, 'a', 0o600);
  if (flock(file, exclusive | withoutWaiting) !== 0) {
    await closeFile(file);
    return undefined;
  }
  return { [Symbol.asyncDispose]: () => closeFile(file) };
}
