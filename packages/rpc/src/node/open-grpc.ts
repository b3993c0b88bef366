/** Services of a gRPC server by its URL (`grpc-address.ts`). What they need is loaded when one is opened. */
import type { BuildService } from '@neve/build';
import type { BlobService, DirectoryService } from '@neve/castore';
import type { Castore, PathInfoService } from '@neve/store';
import { remoteBuilder } from '../remote-builder.ts';
import type { GrpcClientOptions } from './grpc-channel.ts';

/** Throws `RpcError`: `invalid-argument` for the URL, `unavailable` with `wait-connect=1`. */
export async function openGrpcBlobs(url: string, options?: GrpcClientOptions): Promise<BlobService> {
  const { GrpcChannel } = await import('./grpc-channel.ts');
  const { GrpcBlobs } = await import('./grpc-blobs.ts');
  return GrpcBlobs.over(await GrpcChannel.open(url, options));
}

/** Throws as `openGrpcBlobs` does. */
export async function openGrpcDirectories(
  url: string,
  options?: GrpcClientOptions,
): Promise<DirectoryService> {
  const { GrpcChannel } = await import('./grpc-channel.ts');
  const { GrpcDirectories } = await import('./grpc-directories.ts');
  return new GrpcDirectories(await GrpcChannel.open(url, options));
}

/** Throws as `openGrpcBlobs` does. */
export async function openGrpcPathInfos(url: string, options?: GrpcClientOptions): Promise<PathInfoService> {
  const { GrpcChannel } = await import('./grpc-channel.ts');
  const { GrpcPathInfos } = await import('./grpc-path-infos.ts');
  return new GrpcPathInfos(await GrpcChannel.open(url, options));
}

/**
 * A builder that has the same castore as whoever calls: it sees inputs that are stored here, and outputs are seen here. A
 * server says something every 30 seconds at least, so `timeoutMs` has to be more. Throws as `openGrpcBlobs` does.
 */
export async function openGrpcBuilder(url: string, options?: GrpcClientOptions): Promise<BuildService> {
  const { GrpcChannel } = await import('./grpc-channel.ts');
  const { GrpcBuilder } = await import('./grpc-builder.ts');
  return new GrpcBuilder(await GrpcChannel.open(url, options));
}

/**
 * A builder with a castore of its own, which the same server gives access to: inputs are copied there, and outputs to
 * `local`, which the caller keeps. Throws as `openGrpcBlobs` does.
 */
export async function openRemoteBuilder(
  url: string,
  local: Castore,
  options?: GrpcClientOptions,
): Promise<BuildService> {
  const owned: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const it of owned.toReversed()) await it[Symbol.asyncDispose]();
  };
  try {
    const blobs = await openGrpcBlobs(url, options);
    owned.push(blobs);
    const directories = await openGrpcDirectories(url, options);
    owned.push(directories);
    const service = await openGrpcBuilder(url, options);
    owned.push(service);
    const builder = remoteBuilder({ service, remote: { blobs, directories }, local });
    return {
      build: (request, buildOptions) => builder.build(request, buildOptions),
      systems: (signal) => builder.systems(signal),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}
