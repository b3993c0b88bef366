/**
 * The files of a binary cache in a folder, as `nix copy --to file:///folder` writes it. A narinfo may not lead out of the
 * folder.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../store-error.ts';
import type { CacheFiles } from './cache-files.ts';
import { gather } from './gather.ts';

const pieceSize = 1 << 18;

export class FolderCacheFiles implements CacheFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  describe(path: string): string {
    return join(this.#folder, path);
  }

  async read(path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const body = await this.open(path, signal);
    return body === undefined ? undefined : gather(body, { maxBytes, name: this.describe(path) });
  }

  async open(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    signal?.throwIfAborted();
    const isOutside =
      /^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('/') || path.split('/').includes('..');
    if (isOutside)
      throw new StoreError('corrupt', `'${path}' is not a file of the cache in '${this.#folder}'`);
    const name = this.describe(path);
    try {
      const file = await open(name);
      return readAll(createReadStream(name, { fd: file, highWaterMark: pieceSize }), { name, signal });
    } catch (cause) {
      if (isAbsence(cause)) return undefined;
      throw readError(name, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

type Reading = { readonly name: string; readonly signal: AbortSignal | undefined };

async function* readAll(
  stream: AsyncIterable<Uint8Array>,
  { name, signal }: Reading,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of stream) {
      signal?.throwIfAborted();
      yield piece;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw readError(name, cause);
  }
}

function readError(name: string, cause: unknown): StoreError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('io', `'${name}' cannot be read: ${problem}`, { cause });
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
