/**
 * A blob that is sent to a gRPC server, in messages of one size. It is hashed on the way, so that a false answer is found;
 * unless the caller knows its digest.
 */
import { B3Digest, CastoreError } from '@neve/castore';
import type { BlobWriter } from '@neve/castore';
import type { Blake3, Blake3Hasher } from '@neve/castore/node';
import { BlobChunkBuffer, blobChunkSize } from '../blob-chunk.ts';
import type { PutBlobResponse } from '../generated/snix/castore/v1/rpc_blobstore_pb.ts';
import { castoreErrorOf } from '../status.ts';
import type { Upload } from './grpc-channel.ts';

/** The first message of a blob has room for this much, and the following ones for more. */
const firstMessageSize = 16 * 1024;

export class GrpcBlobWriter implements BlobWriter {
  readonly #upload: Upload<Uint8Array, PutBlobResponse>;
  readonly #hasher: Blake3Hasher | undefined;
  #message: BlobChunkBuffer | undefined;
  #sent = 0;
  #closed: Promise<B3Digest> | undefined;

  /** Without `blake3` the blob is closed by `closeAs`. */
  constructor(upload: Upload<Uint8Array, PutBlobResponse>, blake3: Blake3 | undefined) {
    this.#upload = upload;
    this.#hasher = blake3?.createHasher();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) throw new Error('a blob was written to after it was closed');
    this.#hasher?.update(bytes);
    let rest = bytes;
    while (rest.length > 0) {
      this.#message ??= new BlobChunkBuffer(this.#nextSize(rest.length));
      rest = rest.subarray(this.#message.append(rest));
      // oxlint-disable-next-line no-await-in-loop -- messages are sent in order
      if (this.#message.isFull) await this.#send(this.#message);
    }
  }

  close(): Promise<B3Digest> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Throws `CastoreError` (`corrupt`) when the server finds another digest. */
  closeAs(digest: B3Digest): Promise<B3Digest> {
    this.#closed ??= this.#close(digest);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#upload[Symbol.asyncDispose]();
  }

  #nextSize(wanted: number): number {
    return this.#sent === 0 && wanted < firstMessageSize ? firstMessageSize : blobChunkSize;
  }

  async #send(message: BlobChunkBuffer): Promise<void> {
    this.#message = undefined;
    this.#sent++;
    try {
      await this.#upload.write(message.finish());
    } catch (error) {
      throw castoreErrorOf(error, 'storing a blob', 'invalid-digest');
    }
  }

  async #close(known?: B3Digest): Promise<B3Digest> {
    if (this.#message !== undefined) await this.#send(this.#message);
    const digest = known ?? this.#ownDigest();
    const answer = await this.#finish();
    if (answer.digest.length !== 32 || !new B3Digest(answer.digest).equals(digest)) {
      throw new CastoreError('corrupt', `the server has stored another blob than ${digest.toString()}`);
    }
    return digest;
  }

  #ownDigest(): B3Digest {
    if (this.#hasher === undefined) throw new Error('a blob that is not hashed is closed without its digest');
    return new B3Digest(this.#hasher.digest());
  }

  async #finish(): Promise<PutBlobResponse> {
    try {
      return await this.#upload.finish();
    } catch (error) {
      throw castoreErrorOf(error, 'storing a blob', 'invalid-digest');
    }
  }
}
