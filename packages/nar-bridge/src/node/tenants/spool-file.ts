/** A file without a name for a download that is under way: it is gone with its process, whatever happens. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '@neve/store';
import type { SpoolFile } from '../../upstream/nar-spool.ts';

/** In a folder, which is made when it is missing. Throws `StoreError` (`io`). */
export async function openSpoolFile(folder: string): Promise<SpoolFile> {
  const path = join(folder, randomUUID());
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(path, 'wx+', 0o600);
    await rm(path);
    return new UnnamedFile(file);
  } catch (cause) {
    throw failure(`the file for a download cannot be made in '${folder}'`, cause);
  }
}

class UnnamedFile implements SpoolFile {
  readonly #file: FileHandle;
  #size = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.#file.write(bytes, done, bytes.length - done, this.#size + done)).bytesWritten;
      }
      this.#size += bytes.length;
    } catch (cause) {
      throw failure('a download cannot be kept for those who wait for it', cause);
    }
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    try {
      const { bytesRead, buffer } = await this.#file.read(new Uint8Array(length), 0, length, position);
      if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    } catch (cause) {
      throw failure('a download cannot be read', cause);
    }
    throw new StoreError('io', 'a download cannot be read: its file is shorter than it was');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function failure(what: string, cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError('io', `${what}: ${reason}`, { cause });
}
