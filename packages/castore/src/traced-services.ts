/** Blobs and directories with a span for each call, named as Snix names what is in them. */
import { tracedService } from '@neve/telemetry';
import type { B3Digest } from './b3-digest.ts';
import type { BlobService } from './blob-service.ts';
import type { Directory } from './directory.ts';
import type { DirectoryService } from './directory-service.ts';

const blob = (digest: B3Digest): { readonly 'blob.digest': string } => ({ 'blob.digest': String(digest) });
const blobCount = (blobs: readonly unknown[]): { readonly 'blob.count': number } => ({
  'blob.count': blobs.length,
});

/** Disposing of it disposes of `blobs`. What is at hand stays so, and is not measured. */
export function tracedBlobs(blobs: BlobService, instanceName: string): BlobService {
  const options = { service: 'BlobService', instanceName };
  const traced = tracedService(
    blobs,
    {
      has: { attributes: blob, isLookup: true },
      open: { attributes: blob, isLookup: true },
      put: { attributes: (bytes: Uint8Array) => ({ 'blob.size': bytes.length }) },
      create: {},
      chunks: { attributes: blob, isLookup: true },
      outboard: { attributes: blob, isLookup: true },
    },
    options,
  );
  const batch =
    blobs.batch &&
    tracedService(
      blobs.batch,
      {
        hasAll: { attributes: blobCount },
        putAll: { attributes: blobCount },
        readAll: { kind: 'stream', attributes: blobCount },
      },
      { ...options, service: 'BlobService.batch' },
    );
  const trusting =
    blobs.trusting &&
    tracedService(
      blobs.trusting,
      { putAll: { attributes: blobCount }, create: {} },
      { ...options, service: 'BlobService.trusting' },
    );
  return new Proxy(traced, {
    get: (target, property) =>
      property === 'batch'
        ? batch
        : property === 'trusting'
          ? trusting
          : (Reflect.get(target, property, target) as unknown),
  });
}

const directory = (digest: B3Digest): { readonly 'directory.digest': string } => ({
  'directory.digest': String(digest),
});

/** Disposing of it disposes of `directories`. */
export function tracedDirectories(directories: DirectoryService, instanceName: string): DirectoryService {
  return tracedService(
    directories,
    {
      get: { attributes: directory, isLookup: true },
      closure: { kind: 'stream', attributes: directory },
      put: { attributes: (it: Directory) => directory(it.digest) },
    },
    { service: 'DirectoryService', instanceName },
  );
}
