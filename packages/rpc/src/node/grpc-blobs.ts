/**
 * Blobs of a gRPC server. All that comes from it is checked here: a whole blob against its digest, before its last piece
 * is given out; the chunks that a part of a blob is made of, each against its own.
 */
import { B3Digest, CastoreError, bytesReader, singleCalls } from '@neve/castore';
import type {
  BlobBatches,
  BlobReader,
  BlobService,
  BlobWriter,
  ChunkMeta,
  TrustingBlobWriter,
  TrustingBlobs,
} from '@neve/castore';
import { loadBlake3, type Blake3 } from '@neve/castore/node';
import type { StatBlobResponse } from '../generated/snix/castore/v1/rpc_blobstore_pb.ts';
import { RpcError } from '../rpc-error.ts';
import { blobMethods } from '../services.ts';
import { castoreErrorOf } from '../status.ts';
import { ChunkedBlobReader } from './chunked-blob-reader.ts';
import { GrpcBlobBatches } from './grpc-blob-batches.ts';
import { GrpcBlobWriter } from './grpc-blob-writer.ts';
import type { GrpcChannel } from './grpc-channel.ts';
import { measureBlob, readVerified } from './read-verified.ts';
import { UnsplitBlobReader } from './unsplit-blob-reader.ts';

/** Blobs up to this size, and those whose size is not known and proves to be below it, are fetched as a whole. */
const wholeBlobSize = 1024 * 1024;

export class GrpcBlobs implements BlobService {
  readonly batch: BlobBatches;
  readonly trusting: TrustingBlobs;
  readonly #channel: GrpcChannel;
  readonly #blake3: Blake3;

  /** Disposing of the service closes the channel. */
  constructor(channel: GrpcChannel, blake3: Blake3) {
    this.#channel = channel;
    this.#blake3 = blake3;
    const batch = new GrpcBlobBatches({ channel, blake3, single: singleCalls(this) });
    this.batch = batch;
    this.trusting = {
      putAll: (blobs, signal) => batch.putHashed(blobs, signal),
      create: (signal) => this.#createTrusting(signal),
      refusesWrongDigests: true,
    };
  }

  static async over(channel: GrpcChannel): Promise<GrpcBlobs> {
    return new GrpcBlobs(channel, await loadBlake3());
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    return (await this.#stat(digest, {}, signal)) !== undefined;
  }

  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const stat = await this.#stat(digest, { sendChunks: true }, signal);
    if (stat === undefined) return undefined;
    const read = (it: B3Digest, readSignal?: AbortSignal): AsyncIterable<Uint8Array> =>
      this.#read(it, readSignal);
    const chunks = chunksOf(stat, digest);
    if (chunks.length === 0) return this.#openUnsized(digest, signal);
    const size = totalSize(chunks, digest);
    const source = { digest, size, read, blake3: this.#blake3 };
    if (size <= wholeBlobSize) return new UnsplitBlobReader(source, { keepsBytes: true });
    return isUnsplit(chunks, digest)
      ? new UnsplitBlobReader(source, { keepsBytes: false })
      : new ChunkedBlobReader(source, chunks);
  }

  // oxlint-disable-next-line typescript/require-await -- what `upload` throws becomes a rejection
  async create(signal?: AbortSignal): Promise<BlobWriter> {
    return new GrpcBlobWriter(this.#channel.upload(blobMethods.put, { signal }), this.#blake3);
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    await using writer = await this.create(signal);
    await writer.write(bytes);
    return await writer.close();
  }

  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    const stat = await this.#stat(digest, { sendChunks: true }, signal);
    if (stat === undefined) return undefined;
    const chunks = chunksOf(stat, digest);
    return isUnsplit(chunks, digest) ? [] : chunks;
  }

  /** The tree is a stranger's word until bytes are verified with it (`OutboardVerifier`). */
  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const stat = await this.#stat(digest, { sendChunks: true, sendBao: true }, signal);
    if (stat === undefined) return undefined;
    const chunks = chunksOf(stat, digest);
    if (stat.bao.length === 0 && (chunks.length === 0 || totalSize(chunks, digest) > groupSize)) {
      return undefined;
    }
    return stat.bao;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#channel[Symbol.asyncDispose]();
  }

  // oxlint-disable-next-line typescript/require-await -- what `upload` throws becomes a rejection
  async #createTrusting(signal?: AbortSignal): Promise<TrustingBlobWriter> {
    const writer = new GrpcBlobWriter(this.#channel.upload(blobMethods.put, { signal }), undefined);
    return {
      write: (bytes) => writer.write(bytes),
      close: async (digest) => void (await writer.closeAs(digest)),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    };
  }

  async #stat(
    digest: B3Digest,
    wanted: { readonly sendChunks?: boolean; readonly sendBao?: boolean },
    signal: AbortSignal | undefined,
  ): Promise<StatBlobResponse | undefined> {
    try {
      return await this.#channel.unary(blobMethods.stat, { digest: digest.bytes, ...wanted }, { signal });
    } catch (error) {
      if (error instanceof RpcError && error.code === 'not-found') return undefined;
      throw castoreErrorOf(error, `asking for the blob ${digest.toString()}`, 'invalid-digest');
    }
  }

  async *#read(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#channel.download(blobMethods.read, { digest: digest.bytes }, { signal });
    } catch (error) {
      throw castoreErrorOf(error, `reading the blob ${digest.toString()}`, 'invalid-digest');
    }
  }

  /** The server does not tell the size: a small blob is read at once, the length of a large one is found by reading. */
  async #openUnsized(digest: B3Digest, signal: AbortSignal | undefined): Promise<BlobReader | undefined> {
    const read = (it: B3Digest, readSignal?: AbortSignal): AsyncIterable<Uint8Array> =>
      this.#read(it, readSignal);
    const source = { digest, size: undefined, read, blake3: this.#blake3 };
    try {
      const found = await measureBlob(readVerified(source, signal), wholeBlobSize);
      return found.bytes === undefined
        ? new UnsplitBlobReader({ ...source, size: found.size }, { keepsBytes: false })
        : bytesReader(found.bytes);
    } catch (error) {
      if (error instanceof CastoreError && error.code === 'not-found') return undefined;
      throw error;
    }
  }
}

/** Up to this size the tree of a blob has no inner nodes. */
const groupSize = 16_384;

function chunksOf({ chunks }: StatBlobResponse, blob: B3Digest): readonly ChunkMeta[] {
  return chunks.map(({ digest, size }) => {
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw lie(blob, `a chunk of ${size} bytes`);
    if (digest.length !== 32) throw lie(blob, `a chunk with a digest of ${digest.length} bytes`);
    return { digest: new B3Digest(digest), size: Number(size) };
  });
}

function totalSize(chunks: readonly ChunkMeta[], blob: B3Digest): number {
  const total = chunks.reduce((sum, { size }) => sum + size, 0);
  if (!Number.isSafeInteger(total)) throw lie(blob, 'chunks of more than 2^53 bytes');
  return total;
}

/** A server says so by one chunk, the blob itself, or none. */
function isUnsplit(chunks: readonly ChunkMeta[], blob: B3Digest): boolean {
  return chunks.length === 0 || (chunks.length === 1 && chunks[0]?.digest.equals(blob) === true);
}

function lie(blob: B3Digest, what: string): CastoreError {
  return new CastoreError('corrupt', `the server describes the blob ${blob.toString()} with ${what}`);
}
