/**
 * What builds printed, by derivation: `<folder>/<first two characters>/<rest of the base name>.zst`, each a file of
 * concatenated zstd frames. The file has another name while the build is running.
 */
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { concatBytes } from '@neve/bytes';
import { decompress, zstdCompress } from '@neve/castore/node';
import type { StorePath } from '@neve/nix-compat';

/** Bytes of log that are compressed together. */
const frameBytes = 256 * 1024;

export class BuildLogs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A log of this build, which takes the place of an earlier one when it ends. */
  async start(derivation: StorePath): Promise<BuildLogWriter> {
    const path = this.#path(derivation);
    await mkdir(dirname(path), { recursive: true });
    return new BuildLogWriter(path, await open(`${path}.${process.pid}.tmp`, 'w'));
  }

  /** `undefined` when there is none. */
  async read(derivation: StorePath): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.#path(derivation);
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined) return undefined;
    // A build that printed nothing has no frame.
    if (stats.size === 0) return Readable.from([]);
    return decompress(createReadStream(path), 'zstd');
  }

  #path({ baseName }: StorePath): string {
    return join(this.#folder, baseName.slice(0, 2), `${baseName.slice(2)}.zst`);
  }
}

export class BuildLogWriter {
  readonly #path: string;
  readonly #file: Awaited<ReturnType<typeof open>>;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, file: Awaited<ReturnType<typeof open>>) {
    this.#path = path;
    this.#file = file;
  }

  write(bytes: Uint8Array): void {
    this.#pending.push(new Uint8Array(bytes));
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= frameBytes) this.#flush();
  }

  /** The log is there when it is fulfilled. */
  async end(): Promise<void> {
    this.#flush();
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      await this.#writing;
      await this.#file.close();
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #flush(): void {
    const bytes = concatBytes(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes.length === 0) return;
    this.#writing = this.#append(bytes, this.#writing);
    // `end` tells of it.
    this.#writing.catch(() => undefined);
  }

  async #append(bytes: Uint8Array, earlier: Promise<void>): Promise<void> {
    const frame = await zstdCompress(bytes);
    await earlier;
    await this.#file.write(frame);
  }
}
