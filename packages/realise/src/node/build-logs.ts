/**
 * What builds printed, by derivation: `<folder>/<first two characters>/<rest of the base name>.zst`, each a file of
 * concatenated zstd frames. The file has another name while the build is running.
 */
import { randomUUID } from 'node:crypto';
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
    const temporary = `${path}.${randomUUID()}.tmp`;
    return new BuildLogWriter({ path, temporary, file: await open(temporary, 'w') });
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

type OpenLog = {
  readonly path: string;
  /** Its name until it ends. */
  readonly temporary: string;
  readonly file: Awaited<ReturnType<typeof open>>;
};

export class BuildLogWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: OpenLog['file'];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor({ path, temporary, file }: OpenLog) {
    this.#path = path;
    this.#temporary = temporary;
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
    try {
      await this.#writing;
      await this.#file.close();
      await rename(this.#temporary, this.#path);
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw error;
    }
  }

  /** Nothing of it stays, and an earlier log is there as before. */
  async abandon(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#writing.catch(() => undefined);
    await this.#file.close();
    await rm(this.#temporary, { force: true });
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
