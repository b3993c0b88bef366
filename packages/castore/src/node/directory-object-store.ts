/**
 * Objects as the files of a folder: the key is the path in it.
 *
 * An object is written to `.incoming` in the same folder, synced and renamed to its place; the folder in which it is then,
 * and folders made for it, are synced before `put` is fulfilled. What a crash leaves in `.incoming` is removed a day later.
 */
import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, open, opendir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CastoreError } from '../castore-error.ts';
import {
  checkObjectKey,
  type ListedObject,
  type ObjectInfo,
  type ObjectRange,
  type ObjectStore,
} from '../object-store.ts';

const incoming = '.incoming';
const incomingLifeMs = 24 * 60 * 60 * 1000;

/** Opens a folder, which is made when something is written and it is missing. */
export function directoryObjectStore(path: string): ObjectStore {
  return new DirectoryObjectStore(resolve(path));
}

class DirectoryObjectStore implements ObjectStore {
  readonly label: string;
  readonly #root: string;
  /** Folders that are there, durably. */
  readonly #folders: Map<string, Promise<void>> = new Map();
  #prepared: Promise<void> | undefined;

  constructor(root: string) {
    this.#root = root;
    this.label = `the object store in '${root}'`;
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#run('read', key, async (path) => unlessMissing(readFile(path, { signal })));
  }

  getRange(key: string, { offset, length }: ObjectRange, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#run('read', key, async (path) => {
      signal?.throwIfAborted();
      const file = await unlessMissing(open(path, 'r'));
      if (file === undefined) throw new CastoreError('not-found', `${this.label} has no object '${key}'`);
      try {
        const { size } = await file.stat();
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
        let done = 0;
        while (done < bytes.length) {
          const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return bytes.subarray(0, done);
      } finally {
        await file.close();
      }
    });
  }

  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#run('write', key, async (path) => {
      signal?.throwIfAborted();
      await this.#prepare();
      const temporary = join(this.#root, incoming, randomUUID());
      try {
        const file = await open(temporary, 'wx', 0o644);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await this.#makeFolder(dirname(path));
        signal?.throwIfAborted();
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    return this.#run('look for', key, async (path) => {
      signal?.throwIfAborted();
      const found = await unlessMissing(stat(path));
      return found?.isFile() === true ? { size: found.size, lastModifiedMs: found.mtimeMs } : undefined;
    });
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject, void, void> {
    const folders = [prefix];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const entry of this.#entries(folder)) {
        signal?.throwIfAborted();
        const key = folder + entry.name;
        if (entry.isDirectory() && key !== incoming) folders.push(`${key}/`);
        if (!entry.isFile()) continue;
        const info = await this.head(key);
        if (info !== undefined) yield { key, ...info };
      }
    }
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#run('remove', key, async (path) => {
      signal?.throwIfAborted();
      await rm(path, { force: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#prepared?.catch(() => undefined);
  }

  async *#entries(folder: string): AsyncGenerator<Dirent, void, void> {
    try {
      const opened = await unlessMissing(opendir(join(this.#root, folder)));
      if (opened !== undefined) yield* opened;
    } catch (cause) {
      throw this.#failure('list', folder, cause);
    }
  }

  /** What `action` throws becomes `io`, but for our own errors and the reason of an abort. */
  async #run<T>(verb: string, key: string, action: (path: string) => Promise<T>): Promise<T> {
    checkObjectKey(key);
    try {
      return await action(join(this.#root, key));
    } catch (cause) {
      if (cause instanceof CastoreError || !isSystemError(cause)) throw cause;
      throw this.#failure(verb, key, cause);
    }
  }

  #failure(verb: string, key: string, cause: unknown): CastoreError {
    const problem = cause instanceof Error ? cause.message : String(cause);
    return new CastoreError('io', `${this.label} cannot ${verb} '${key}': ${problem}`, { cause });
  }

  #prepare(): Promise<void> {
    this.#prepared ??= this.#makeIncoming().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #makeIncoming(): Promise<void> {
    const folder = join(this.#root, incoming);
    await this.#makeFolder(folder);
    for (const name of await readdir(folder)) {
      const found = await unlessMissing(stat(join(folder, name)));
      if (found !== undefined && found.mtimeMs < Date.now() - incomingLifeMs) await rm(join(folder, name));
    }
  }

  /** Makes a folder and those above it; each is synced into the one above it. */
  #makeFolder(path: string): Promise<void> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const making = (async () => {
      const above = dirname(path);
      if (above !== path && path !== this.#root) await this.#makeFolder(above);
      const first = await mkdir(path, { recursive: true });
      if (first !== undefined) await syncChain(above, dirname(first));
    })().catch((error: unknown) => {
      this.#folders.delete(path);
      throw error;
    });
    this.#folders.set(path, making);
    return making;
  }
}

/** From `path` up to `top`. */
async function syncChain(path: string, top: string): Promise<void> {
  await syncFolder(path);
  if (path !== top && path !== dirname(path)) await syncChain(dirname(path), top);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
