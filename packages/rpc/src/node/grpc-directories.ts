/** Directories of a gRPC server. Digests, order and completeness of all that comes from it are checked here. */
import { B3Digest, CastoreError, Directory, decodeClosure, hashBlake3, orderedPutter } from '@neve/castore';
import type { DirectoryPutter, DirectoryService } from '@neve/castore';
import type { PutDirectoryResponse } from '../generated/snix/castore/v1/rpc_directory_pb.ts';
import { RpcError } from '../rpc-error.ts';
import { directoryMethods } from '../services.ts';
import { castoreErrorOf } from '../status.ts';
import type { GrpcChannel, Upload } from './grpc-channel.ts';

export class GrpcDirectories implements DirectoryService {
  readonly #channel: GrpcChannel;

  /** Disposing of the service closes the channel. */
  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    try {
      const byWhat = { case: 'digest', value: digest.bytes } as const;
      // All of them: servers end connections on which many calls are cancelled.
      const answers = await this.#channel.downloadAll(directoryMethods.get, { byWhat }, { signal });
      return answers.map((bytes) => decodeExpected(bytes, digest))[0];
    } catch (error) {
      if (error instanceof RpcError && error.code === 'not-found') return undefined;
      throw castoreErrorOf(error, `asking for the directory ${digest.toString()}`, 'invalid-digest');
    }
  }

  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory> {
    return decodeClosure(digest, this.#closureBytes(digest, signal));
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    const upload = this.#upload(signal);
    await using _cancelled = upload;
    try {
      await upload.write(directory.encoded);
    } catch (error) {
      throw refused(error);
    }
    await expectRoot(upload, directory.digest);
    return directory.digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    const upload = this.#upload(signal);
    return orderedPutter(
      {
        add: (directory) =>
          upload.write(directory.encoded).catch((error: unknown) => {
            throw refused(error);
          }),
        commit: (root) => expectRoot(upload, root),
        abort: () => upload[Symbol.asyncDispose](),
      },
      signal,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#channel[Symbol.asyncDispose]();
  }

  #upload(signal: AbortSignal | undefined): Upload<Uint8Array, PutDirectoryResponse> {
    return this.#channel.upload(directoryMethods.put, { signal });
  }

  #get(digest: B3Digest, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const byWhat = { case: 'digest', value: digest.bytes } as const;
    return this.#channel.download(directoryMethods.get, { byWhat, recursive: true }, { signal });
  }

  async *#closureBytes(digest: B3Digest, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#get(digest, signal);
    } catch (error) {
      if (error instanceof RpcError && error.code === 'not-found') return;
      throw castoreErrorOf(error, `asking for the directories below ${digest.toString()}`, 'invalid-digest');
    }
  }
}

/** The digest is compared before a stranger's bytes are decoded. */
function decodeExpected(bytes: Uint8Array, digest: B3Digest): Directory {
  const actual = new B3Digest(hashBlake3(bytes));
  if (!actual.equals(digest)) {
    throw new CastoreError(
      'corrupt',
      `instead of the directory ${digest.toString()} the server sent ${actual.toString()}`,
    );
  }
  return Directory.decode(bytes, digest);
}

async function expectRoot(upload: Upload<Uint8Array, PutDirectoryResponse>, root: B3Digest): Promise<void> {
  let answer: PutDirectoryResponse;
  try {
    answer = await upload.finish();
  } catch (error) {
    throw refused(error);
  }
  if (answer.rootDigest.length !== 32 || !new B3Digest(answer.rootDigest).equals(root)) {
    throw new CastoreError('corrupt', `the server has stored another closure than ${root.toString()}`);
  }
}

function refused(error: unknown): unknown {
  return castoreErrorOf(error, 'storing directories', 'invalid-directory');
}
