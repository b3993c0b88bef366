/** Services of a gRPC server by its URL (`grpc-address.ts`). What they need is loaded when one is opened. */
import type { BlobService, DirectoryService } from '@neve/castore';
import type { PathInfoService } from '@neve/store';
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
