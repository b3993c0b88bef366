/** Path infos of a gRPC server. What comes from it is decoded, which checks it, and must be about the asked path. */
import { Digest } from '@neve/bytes';
import { encodeEntry, type Node } from '@neve/castore';
import { StoreError, decodePathInfo, encodePathInfo, hashPartBytes } from '@neve/store';
import type { NarCalculation, NarCalculationService, PathInfo, PathInfoService } from '@neve/store';
import { RpcError } from '../rpc-error.ts';
import { pathInfoMethods } from '../services.ts';
import { storeErrorOf } from '../status.ts';
import type { GrpcChannel } from './grpc-channel.ts';

export class GrpcPathInfos implements PathInfoService, NarCalculationService {
  readonly #channel: GrpcChannel;

  /** Disposing of the service closes the channel. */
  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  get narCalculation(): NarCalculationService {
    return this;
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    const byWhat = { case: 'byOutputHash', value: hashPartBytes(hashPart) } as const;
    let bytes: Uint8Array;
    try {
      bytes = await this.#channel.unary(pathInfoMethods.get, { byWhat }, { signal });
    } catch (error) {
      if (error instanceof RpcError && error.code === 'not-found') return undefined;
      throw storeErrorOf(error, `asking for the path info of ${hashPart}`);
    }
    const pathInfo = decodePathInfo(bytes);
    if (pathInfo.storePath.hashPart === hashPart) return pathInfo;
    throw wrongPath(hashPart, pathInfo);
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.get(hashPart, signal)) !== undefined;
  }

  async put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    const { baseName } = pathInfo.storePath;
    let bytes: Uint8Array;
    try {
      bytes = await this.#channel.unary(pathInfoMethods.put, encodePathInfo(pathInfo), { signal });
    } catch (error) {
      throw storeErrorOf(error, `storing the path info of ${baseName}`);
    }
    const stored = decodePathInfo(bytes);
    if (stored.storePath.baseName === baseName) return stored;
    throw wrongPath(baseName, stored);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo> {
    try {
      for await (const bytes of this.#channel.download(pathInfoMethods.list, {}, { signal })) {
        yield decodePathInfo(bytes);
      }
    } catch (error) {
      throw storeErrorOf(error, 'listing path infos');
    }
  }

  /** It takes as long as the server has to read. */
  async calculateNar(node: Node, signal?: AbortSignal): Promise<NarCalculation> {
    try {
      const answer = await this.#channel.unary(pathInfoMethods.calculateNar, encodeEntry(node), {
        signal,
        isEndless: true,
      });
      if (answer.narSize > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw new StoreError('corrupt', `the server calculated a NAR of ${answer.narSize} bytes`);
      }
      return { narSize: Number(answer.narSize), narHash: sha256Of(answer.narSha256) };
    } catch (error) {
      throw storeErrorOf(error, 'calculating a NAR');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#channel[Symbol.asyncDispose]();
  }
}

function sha256Of(bytes: Uint8Array): Digest {
  if (bytes.length === 32) return new Digest('sha256', bytes);
  throw new StoreError('corrupt', `the server gave ${bytes.length} bytes for the SHA-256 of a NAR`);
}

function wrongPath(asked: string, { storePath }: PathInfo): StoreError {
  return new StoreError('corrupt', `instead of ${asked} the server answered about ${storePath.baseName}`);
}
