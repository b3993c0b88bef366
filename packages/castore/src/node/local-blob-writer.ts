/**
 * Writes one local blob. The bytes are kept in memory while they are few; then they go to a temporary file, hashed while
 * they are being written. Runs of zeroes become holes. `close` syncs the file and gives it to the owner, who makes it
 * visible.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { B3Digest } from '../b3-digest.ts';
import type { BlobWriter } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import type { Blake3, Blake3Hasher } from './blake3.ts';

/** What a finished writer hands over: the bytes of a small blob, or a durable temporary file. */
export type FinishedBlob =
  | { readonly kind: 'inline'; readonly digest: B3Digest; readonly contents: Uint8Array }
  | { readonly kind: 'file'; readonly digest: B3Digest; readonly size: number; readonly path: string };

export type LocalBlobWriterOptions = {
  /** Undefined when the digest is given at the end. */
  readonly blake3: Blake3 | undefined;
  /** Blobs of at most so many bytes stay in memory. */
  readonly inlineLimit: number;
  /** Gives the path for the temporary file. */
  readonly temporary: () => string;
  /** Makes the blob visible: moves the file to its place, unless it is not needed. */
  readonly commit: (blob: FinishedBlob) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
};

type OpenFile = { readonly path: string; readonly handle: FileHandle };

const zeroes = Buffer.alloc(1 << 16);
const holeSize = zeroes.length;

export class LocalBlobWriter implements BlobWriter {
  readonly #options: LocalBlobWriterOptions;
  #buffered: Uint8Array[] = [];
  #hasher: Blake3Hasher | undefined;
  #size = 0;
  #file: OpenFile | undefined;
  #closed: Promise<B3Digest> | undefined;
  #failure: CastoreError | undefined;
  #disposed = false;

  constructor(options: LocalBlobWriterOptions) {
    this.#options = options;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkUsable();
    if (this.#closed !== undefined) throw new Error('a blob that was closed is written to');
    if (this.#size + bytes.length <= this.#options.inlineLimit) {
      this.#buffered.push(new Uint8Array(bytes));
      this.#size += bytes.length;
      return;
    }
    try {
      await this.#append(bytes);
    } catch (cause) {
      this.#failure = ioError('a blob cannot be written', cause);
      throw this.#failure;
    }
  }

  close(): Promise<B3Digest> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  /** As `close`, for a writer that does not hash. */
  closeAs(digest: B3Digest): Promise<B3Digest> {
    this.#closed ??= this.#finish(digest);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#closed?.catch(() => {});
    const file = this.#file;
    this.#file = undefined;
    this.#buffered = [];
    if (file === undefined) return;
    await file.handle.close();
    await rm(file.path, { force: true });
  }

  /** Part of what was written may be missing after a failure. */
  #checkUsable(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#disposed) throw new Error('the writer of a blob is used after it was disposed of');
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The file is made before the first write; what was kept in memory goes first. */
  async #append(bytes: Uint8Array): Promise<void> {
    this.#hasher ??= this.#options.blake3?.createHasher();
    if (this.#file === undefined) {
      const path = this.#options.temporary();
      this.#file = {
        path,
        handle: await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600),
      };
      const first = Buffer.concat(this.#buffered);
      this.#buffered = [];
      this.#hasher?.update(first);
      await writeAll(this.#file.handle, first, 0);
    }
    const position = this.#size;
    this.#size += bytes.length;
    if (isZero(bytes)) {
      this.#hasher?.update(bytes);
      return;
    }
    const written = writeAll(this.#file.handle, bytes, position);
    this.#hasher?.update(bytes);
    await written;
  }

  async #finish(known?: B3Digest): Promise<B3Digest> {
    this.#checkUsable();
    const file = this.#file;
    this.#file = undefined;
    try {
      if (file === undefined) return await this.#finishInline(known);
      return await this.#finishFile(file, known ?? this.#hashed());
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      throw ioError('a blob cannot be written', cause);
    }
  }

  #hashed(): B3Digest {
    if (this.#hasher === undefined) throw new Error('a writer that does not hash is closed without a digest');
    return new B3Digest(this.#hasher.digest());
  }

  async #finishInline(known: B3Digest | undefined): Promise<B3Digest> {
    const contents = Buffer.concat(this.#buffered);
    const { blake3 } = this.#options;
    const digest =
      known ?? (blake3 === undefined ? this.#hashed() : new B3Digest(blake3.hashBytes(contents)));
    await this.#options.commit({ kind: 'inline', digest, contents });
    return digest;
  }

  async #finishFile({ path, handle }: OpenFile, digest: B3Digest): Promise<B3Digest> {
    try {
      // A hole at the end exists only by the size of the file.
      await handle.truncate(this.#size);
      await handle.chmod(0o444);
      await handle.utimes(1, 1);
      await handle.sync();
      this.#options.signal?.throwIfAborted();
      await this.#options.commit({ kind: 'file', digest, size: this.#size, path });
    } finally {
      await handle.close();
      // It is still there if the blob was known already.
      await rm(path, { force: true });
    }
    return digest;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes.length < holeSize) return false;
  for (let start = 0; start < bytes.length; start += holeSize) {
    const piece = bytes.subarray(start, start + holeSize);
    if (zeroes.compare(piece, 0, piece.length, 0, piece.length) !== 0) return false;
  }
  return true;
}

function ioError(what: string, cause: unknown): CastoreError {
  if (cause instanceof CastoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CastoreError('io', `${what}: ${reason}`, { cause });
}
