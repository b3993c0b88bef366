/**
 * A blob that is read by way of a list of its chunks, which may be wrong though each chunk is what its digest says.
 *
 * A stream over the whole blob is hashed, and its last piece is withheld until the digest is right. Other reads are verified
 * with the outboard where there is one. Where there is none, they rely on the list.
 */
import { equalBytes } from '@neve/bytes';
import { Blake3TreeHasher } from './blake3.ts';
import type { BlobReader, ByteRange } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import { ChunkedReader, type ChunkedReaderOptions } from './chunked-reader.ts';
import { VerifiedReader, type VerifiedReaderOptions } from './verified-reader.ts';

/** Gives the digest, 32 bytes, of what it was updated with. */
export type BlobHasher = { update(bytes: Uint8Array): unknown; digest(): Uint8Array };

export type OutboardSource = Pick<VerifiedReaderOptions, 'verifier' | 'loadNodes'>;

export type StoredBlobOptions = ChunkedReaderOptions & {
  /** Asked at most once, and not by streams over the whole blob. `size` is that of all chunks. */
  readonly outboard: (size: number) => Promise<OutboardSource | undefined>;
  /** The one of WebAssembly by default. */
  readonly createHasher?: () => BlobHasher;
};

export class StoredBlobReader implements BlobReader {
  readonly size: number;
  readonly #options: StoredBlobOptions;
  readonly #chunked: ChunkedReader;
  #verified: Promise<BlobReader> | undefined;

  constructor(options: StoredBlobOptions) {
    this.#options = options;
    this.#chunked = new ChunkedReader(options);
    this.size = this.#chunked.size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#reader()).read(offset, length, signal);
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const isWhole = (range.start ?? 0) === 0 && (range.end ?? this.size) >= this.size;
    if (!isWhole) yield* (await this.#reader()).stream(range, signal);
    else yield* verifiedWhole(this.#chunked.stream(range, signal), this.#options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#chunked[Symbol.asyncDispose]();
  }

  #reader(): Promise<BlobReader> {
    this.#verified ??= this.#openVerified().catch((error: unknown) => {
      this.#verified = undefined;
      throw error;
    });
    return this.#verified;
  }

  async #openVerified(): Promise<BlobReader> {
    const source = await this.#options.outboard(this.size);
    if (source === undefined) return this.#chunked;
    return new VerifiedReader({ ...source, digest: this.#options.digest, inner: this.#chunked });
  }
}

/**
 * The same pieces, but for the last one as long as the digest of all is not right: then `CastoreError` (`corrupt`) is
 * thrown in its place. Pieces must stay valid until the next but one is asked for.
 */
export async function* verifiedWhole(
  pieces: AsyncIterable<Uint8Array>,
  { digest, createHasher = treeHasher }: Pick<StoredBlobOptions, 'digest' | 'createHasher'>,
): AsyncGenerator<Uint8Array, void, void> {
  const hasher = createHasher();
  let withheld: Uint8Array | undefined;
  for await (const piece of pieces) {
    hasher.update(piece);
    if (withheld !== undefined) yield withheld;
    withheld = piece;
  }
  if (!equalBytes(hasher.digest(), digest.bytes)) {
    throw new CastoreError('corrupt', `blob ${digest.toString()} is damaged: its bytes have another digest`);
  }
  if (withheld !== undefined) yield withheld;
}

function treeHasher(): BlobHasher {
  const hasher = new Blake3TreeHasher();
  return { update: (bytes) => hasher.update(bytes), digest: () => hasher.finish().digest };
}
