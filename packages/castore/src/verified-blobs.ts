/**
 * Blobs of a service that nobody trusts: nothing is handed out that is not proved to be what the digest stands for.
 *
 * The proof is the outboard, which is fetched first and is verified itself, from the digest down. So any range is verified
 * as it is read; that the blob is as long as the service says is proved when it is opened. A blob without an outboard is read
 * whole into memory first, up to a limit. A list of chunks is only taken if it is as long as the blob; each chunk is
 * verified when it is opened, and what the chunks make together is the business of whoever joins them.
 */
import { equalBytes } from '@neve/bytes';
import { B3Digest } from './b3-digest.ts';
import { Blake3TreeHasher, hashBlake3 } from './blake3.ts';
import type { BlobReader, BlobService, BlobWriter, ChunkMeta } from './blob-service.ts';
import { bytesReader } from './bytes-reader.ts';
import { CastoreError } from './castore-error.ts';
import { chunkGroupSize, hashCore, hashLength } from './hash-core.ts';
import { chunkGroups, outboardNodeLength, splitSubtree, type Subtree } from './outboard.ts';
import { OutboardVerifier } from './verified-range.ts';
import { VerifiedReader } from './verified-reader.ts';

export type VerifiedBlobsOptions = {
  /** The longest blob that is verified without an outboard, in bytes; 64 MiB by default. */
  readonly maxWholeBytes?: number;
};

/**
 * Throws `CastoreError`: `corrupt`, naming the digest, for whatever is false, and `limit-exceeded` for a blob that is too
 * long to be verified without an outboard. Disposing of it leaves `inner` open.
 */
export function verifiedBlobs(inner: BlobService, options: VerifiedBlobsOptions = {}): BlobService {
  return new VerifiedBlobs(inner, options.maxWholeBytes ?? 64 * 2 ** 20);
}

class VerifiedBlobs implements BlobService {
  readonly #inner: BlobService;
  readonly #maxWholeBytes: number;

  constructor(inner: BlobService, maxWholeBytes: number) {
    this.#inner = inner;
    this.#maxWholeBytes = maxWholeBytes;
  }

  has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    return this.#inner.has(digest, signal);
  }

  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const reader = await this.#inner.open(digest, signal);
    if (reader === undefined) return undefined;
    try {
      const outboard =
        reader.size <= chunkGroupSize ? new Uint8Array() : await this.#inner.outboard(digest, signal);
      if (outboard === undefined) return bytesReader(await this.#readWhole(digest, reader, signal));
      const verifier = new OutboardVerifier(digest.bytes, reader.size, outboard);
      const verified = new VerifiedReader({ digest, inner: reader, verifier });
      await verified.read(reader.size, 0, signal);
      return verified;
    } catch (error) {
      await reader[Symbol.asyncDispose]();
      throw error;
    }
  }

  async create(signal?: AbortSignal): Promise<BlobWriter> {
    return new VerifiedWriter(await this.#inner.create(signal));
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    const digest = new B3Digest(hashBlake3(bytes));
    return checkAnswer(await this.#inner.put(bytes, signal), digest);
  }

  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    const chunks = await this.#inner.chunks(digest, signal);
    if (chunks === undefined || chunks.length === 0) return chunks;
    await using reader = await this.open(digest, signal);
    if (reader === undefined) return undefined;
    const total = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    if (total === reader.size) return chunks;
    const lengths = `${total} bytes and not ${reader.size}`;
    throw new CastoreError(
      'corrupt',
      `the list of chunks of blob ${digest.toString()} is wrong: they have ${lengths}`,
    );
  }

  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const outboard = await this.#inner.outboard(digest, signal);
    if (outboard === undefined) return undefined;
    await using reader = await this.open(digest, signal);
    if (reader === undefined) return undefined;
    checkOutboard(digest, outboard, reader.size);
    return outboard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Everything belongs to the inner service.
  }

  /** All bytes, and disposes of the reader. */
  async #readWhole(digest: B3Digest, reader: BlobReader, signal?: AbortSignal): Promise<Uint8Array> {
    const { size } = reader;
    if (size > this.#maxWholeBytes) {
      throw new CastoreError(
        'limit-exceeded',
        `blob ${digest.toString()} cannot be verified: the service has no outboard for it, and its ${size} bytes are more than the ${this.#maxWholeBytes} that are read at once`,
      );
    }
    const bytes = await reader.read(0, size, signal);
    if (bytes.length !== size || !equalBytes(hashBlake3(bytes), digest.bytes)) {
      throw new CastoreError('corrupt', `other bytes are given for blob ${digest.toString()} than its own`);
    }
    await reader[Symbol.asyncDispose]();
    return bytes;
  }
}

class VerifiedWriter implements BlobWriter {
  readonly #inner: BlobWriter;
  readonly #hasher: Blake3TreeHasher = new Blake3TreeHasher();
  #closing: Promise<B3Digest> | undefined;

  constructor(inner: BlobWriter) {
    this.#inner = inner;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closing !== undefined) throw new Error('a blob that was closed is written to');
    this.#hasher.update(bytes);
    await this.#inner.write(bytes);
  }

  close(): Promise<B3Digest> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #finish(): Promise<B3Digest> {
    const digest = new B3Digest(this.#hasher.finish().digest);
    return checkAnswer(await this.#inner.close(), digest);
  }
}

function checkAnswer(answer: B3Digest, digest: B3Digest): B3Digest {
  if (answer.equals(digest)) return digest;
  throw new CastoreError(
    'corrupt',
    `the blob ${digest.toString()} was stored, and the service calls it ${answer.toString()}`,
  );
}

/** Every node must be what the one above it says. */
function checkOutboard(digest: B3Digest, outboard: Uint8Array, sizeBytes: number): void {
  const groups = chunkGroups(sizeBytes);
  const core = hashCore();
  const check = (subtree: Subtree, expected: Uint8Array): boolean => {
    if (subtree.groups === 1) return true;
    const start = subtree.node * outboardNodeLength;
    const node = outboard.subarray(start, start + outboardNodeLength);
    core.input.set(node);
    core.hashParents(1, subtree.node === 0);
    if (!equalBytes(core.output.subarray(0, hashLength), expected)) return false;
    const [left, right] = splitSubtree(subtree);
    return check(left, node.subarray(0, hashLength)) && check(right, node.subarray(hashLength));
  };
  const isComplete = outboard.length === (groups - 1) * outboardNodeLength;
  if (isComplete && check({ node: 0, first: 0, groups }, digest.bytes)) return;
  throw new CastoreError('corrupt', `the outboard of blob ${digest.toString()} is false`);
}
