/**
 * Many small blobs of a gRPC server in one call, by our extension `BlobBatchService`. A server of somebody else has none:
 * the first call of each kind learns it, and then the blobs go one by one.
 *
 * What comes is checked as everywhere: contents against their digests before they are given out, digests of what was
 * stored against those that the bytes have.
 */
import { equalBytes } from '@neve/bytes';
import { B3Digest, CastoreError, OrderedWindow, WeightedSemaphore } from '@neve/castore';
import type { BlobBatches, HashedBlob } from '@neve/castore';
import type { Blake3 } from '@neve/castore/node';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetBlobsRequestSchema } from '../generated/neve/castore/v1/rpc_blobbatch_pb.ts';
import { RpcError } from '../rpc-error.ts';
import { blobBatchMethods, maxBatchBlobs } from '../services.ts';
import { castoreErrorOf } from '../status.ts';
import type { GrpcChannel } from './grpc-channel.ts';

/** The contents in a request that stores, unless one blob alone has more. */
const maxPutSize = 512 * 1024;

/**
 * Calls under way that store. Together they stay below the window of a connection: Node stands still when several times that
 * is written to it at once.
 */
const maxPuts = 4;

/** Calls under way for one batch. */
const maxCalls = 4;

/** What a blob adds to a message beside its contents, at most. */
const blobOverhead = 8;

export type GrpcBlobBatchesOptions = {
  readonly channel: GrpcChannel;
  readonly blake3: Blake3;
  /** For servers without batches, and for blobs that are too large for them. */
  readonly single: BlobBatches;
};

export class GrpcBlobBatches implements BlobBatches {
  readonly #channel: GrpcChannel;
  readonly #blake3: Blake3;
  readonly #single: BlobBatches;
  /** Names of calls that the server does not have. */
  readonly #missing = new Set<string>();
  readonly #puts = new WeightedSemaphore(maxPuts);

  constructor({ channel, blake3, single }: GrpcBlobBatchesOptions) {
    this.#channel = channel;
    this.#blake3 = blake3;
    this.#single = single;
  }

  async hasAll(digests: readonly B3Digest[], signal?: AbortSignal): Promise<readonly boolean[]> {
    signal?.throwIfAborted();
    return inParts(slices(digests), (part) => this.#has(part, signal));
  }

  async putAll(blobs: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly B3Digest[]> {
    const hashed = blobs.map((bytes) => ({ digest: new B3Digest(this.#blake3.hashBytes(bytes)), bytes }));
    await this.putHashed(hashed, signal);
    return hashed.map(({ digest }) => digest);
  }

  /** Throws `CastoreError` (`corrupt`) when the server says that a blob has another digest. */
  async putHashed(blobs: readonly HashedBlob[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await inParts(putParts(blobs), async (part) => {
      const digests = await this.#put(
        part.map(({ bytes }) => bytes),
        signal,
      );
      checkDigests(part, digests);
      return digests;
    });
  }

  async *readAll(
    digests: readonly B3Digest[],
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | undefined, void, void> {
    signal?.throwIfAborted();
    for (const part of slices(digests)) {
      if (this.#missing.has('Get')) yield* this.#single.readAll(part, maxBytes, signal);
      else yield* this.#get(part, maxBytes, signal);
    }
  }

  #has(digests: readonly B3Digest[], signal?: AbortSignal): Promise<readonly boolean[]> {
    const bySingle = (): Promise<readonly boolean[]> => this.#single.hasAll(digests, signal);
    return this.#unlessMissing('Has', bySingle, async () => {
      const request = { digests: bytesOf(digests) };
      const { found } = await this.#channel.unary(blobBatchMethods.has, request, { signal });
      if (found.length !== digests.length) throw wrongCount(digests.length, found.length);
      return found;
    });
  }

  #put(blobs: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly B3Digest[]> {
    const bySingle = (): Promise<readonly B3Digest[]> => this.#single.putAll(blobs, signal);
    if (blobs.length === 1 && (blobs[0]?.length ?? 0) > maxPutSize) return bySingle();
    return this.#unlessMissing('Put', bySingle, async () => {
      const release = await this.#puts.acquire();
      const { digests } = await this.#channel
        .unary(blobBatchMethods.put, { blobs: [...blobs] }, { signal })
        .finally(release);
      if (digests.length !== blobs.length) throw wrongCount(blobs.length, digests.length);
      return digests.map((it) => new B3Digest(it));
    });
  }

  async *#get(
    digests: readonly B3Digest[],
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | undefined, void, void> {
    let given = 0;
    try {
      const request = { digests: bytesOf(digests), maxBytes: BigInt(maxBytes) };
      for await (const contents of this.#contents(request, signal)) {
        const digest = digests[given++];
        if (digest === undefined) throw wrongCount(digests.length, given);
        if (contents !== undefined) this.#check(digest, contents, maxBytes);
        yield contents;
      }
    } catch (error) {
      if (given > 0 || !isUnimplemented(error)) {
        throw castoreErrorOf(error, 'reading several blobs', 'invalid-digest');
      }
      this.#missing.add('Get');
      yield* this.#single.readAll(digests, maxBytes, signal);
      return;
    }
    if (given !== digests.length) throw wrongCount(digests.length, given);
  }

  async *#contents(
    request: MessageInitShape<typeof GetBlobsRequestSchema>,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | undefined, void, void> {
    for await (const { blobs } of this.#channel.download(blobBatchMethods.get, request, { signal })) {
      for (const { contents } of blobs) yield contents;
    }
  }

  #check(digest: B3Digest, contents: Uint8Array, maxBytes: number): void {
    if (contents.length <= maxBytes && equalBytes(this.#blake3.hashBytes(contents), digest.bytes)) return;
    throw new CastoreError(
      'corrupt',
      `instead of ${digest.toString()} the server sent ${contents.length} other bytes`,
    );
  }

  async #unlessMissing<T>(name: string, bySingle: () => Promise<T>, call: () => Promise<T>): Promise<T> {
    if (this.#missing.has(name)) return await bySingle();
    try {
      return await call();
    } catch (error) {
      if (!isUnimplemented(error)) {
        throw castoreErrorOf(error, 'a call for several blobs', 'invalid-digest');
      }
    }
    this.#missing.add(name);
    return await bySingle();
  }
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof RpcError && error.code === 'unimplemented';
}

function bytesOf(digests: readonly B3Digest[]): Uint8Array[] {
  return digests.map(({ bytes }) => bytes);
}

function* slices<T>(items: readonly T[]): Generator<readonly T[], void, void> {
  for (let at = 0; at < items.length; at += maxBatchBlobs) yield items.slice(at, at + maxBatchBlobs);
}

/** Parts that fit into a request; a blob that is too large is a part of its own. */
function* putParts(blobs: readonly HashedBlob[]): Generator<readonly HashedBlob[], void, void> {
  let part: HashedBlob[] = [];
  let size = 0;
  for (const blob of blobs) {
    const added = blob.bytes.length + blobOverhead;
    if (part.length > 0 && (size + added > maxPutSize || part.length === maxBatchBlobs)) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(blob);
    size += added;
  }
  if (part.length > 0) yield part;
}

/** Some of the parts at the same time; the results in one list. */
async function inParts<T, R>(
  parts: Iterable<T>,
  call: (part: T) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const results: R[] = [];
  await using window = new OrderedWindow<readonly R[]>({ maxItems: maxCalls, maxCost: maxCalls });
  for (const part of parts) {
    // oxlint-disable-next-line no-await-in-loop -- waits for room
    if (window.isFull) results.push(...(await window.shift()));
    window.push(call(part), 1);
  }
  // oxlint-disable-next-line no-await-in-loop -- the results are wanted in order
  while (!window.isEmpty) results.push(...(await window.shift()));
  return results;
}

function checkDigests(blobs: readonly HashedBlob[], digests: readonly B3Digest[]): void {
  for (const [index, { digest }] of blobs.entries()) {
    if (digests[index]?.equals(digest) === true) continue;
    throw new CastoreError('corrupt', `the server has stored another blob than ${digest.toString()}`);
  }
}

function wrongCount(wanted: number, given: number): CastoreError {
  return new CastoreError(
    'corrupt',
    `the server answers for ${given} blobs where it was asked for ${wanted}`,
  );
}
