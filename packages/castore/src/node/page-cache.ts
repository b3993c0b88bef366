/**
 * Reads of files that wait for no disk. To ask a thread for bytes that are in memory already costs ten times what copying them
 * does; to read without asking one holds up everybody when they are not in memory. So this reads what the page cache has
 * (`preadv2` with `RWF_NOWAIT`, Linux), and says so when it has not. A file system that lies in memory needs no such call.
 */
import { readSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

export interface PageCache {
  /** How many bytes were read, 0 at the end of the file; `undefined` when it would have to wait, or cannot tell. */
  read(file: number, buffer: Uint8Array, position: number): number | undefined;
}

const withoutWaiting = 8;
/** Of `statfs`: tmpfs, ramfs. */
const kindsInMemory: readonly number[] = [0x0102_1994, 0x8584_58f6];

const inMemory: PageCache = {
  read: (file, buffer, position) => readSync(file, buffer, 0, buffer.length, position),
};

let linux: Promise<PageCache> | undefined;

/** For files of this folder. `undefined` where there is nothing of the kind. */
export async function openPageCache(folder: string): Promise<PageCache | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    if (kindsInMemory.includes((await statfs(folder)).type)) return inMemory;
    linux ??= loadLinux();
    return await linux;
  } catch {
    // It only makes reading faster.
    return undefined;
  }
}

async function loadLinux(): Promise<PageCache> {
  const { default: koffi } = await import('koffi');
  const vector = koffi.pointer(koffi.struct({ base: 'void *', length: 'size_t' }));
  const preadv2 = koffi.load(null).func('preadv2', 'int64_t', ['int', vector, 'int', 'int64_t', 'int']) as (
    ...args: unknown[]
  ) => number;
  return {
    read(file, buffer, position) {
      const count = preadv2(file, [{ base: buffer, length: buffer.length }], 1, position, withoutWaiting);
      return count < 0 ? undefined : count;
    },
  };
}
