/**
 * The types of blob and directory services that this package offers to a composition, under the names that Snix uses where
 * it has them. A reference disposes of nothing: the composition owns all instances.
 */
import { type OptionValues, type Registry, option, optionsFromUrl } from '@neve/compose';
import type { HttpSettings } from '@neve/http/node';
import { cacheBlobs } from '../cache-blobs.ts';
import { cacheDirectories } from '../cache-directories.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import type { ObjectStore } from '../object-store.ts';
import { priorityDirectories } from '../priority-directories.ts';
import { readOnlyBlobs } from '../read-only-blobs.ts';
import { readOnlyDirectories } from '../read-only-directories.ts';
import { blobKind, directoryKind } from '../service-kinds.ts';
import { verifiedBlobs } from '../verified-blobs.ts';
import { verifiedDirectories } from '../verified-directories.ts';
import { openHttpBlobs } from './http-blobs.ts';
import { lmdbDirectories } from './lmdb-directories.ts';
import { openLocalBlobs } from './local-blobs.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';
import { objectStoreDirectories } from './object-store-directories.ts';
import { openObjectStore } from './opendal-object-store.ts';

export type CastoreEnvironment = {
  /** Where object stores look for credentials and regions: the variables of the process, if the program allows it. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** How web servers are asked. */
  readonly http?: HttpSettings;
};

export function registerCastoreServices(registry: Registry, environment: CastoreEnvironment = {}): void {
  registerBlobs(registry, environment);
  registerDirectories(registry, environment);
}

const objectStoreOptions = {
  object_store_url: option.text(),
  object_store_options: option.textMap().default({}),
};

type ObjectStoreValues = OptionValues<typeof objectStoreOptions>;

function openStoreOf(
  { object_store_url: url, object_store_options: options }: ObjectStoreValues,
  { variables, http }: CastoreEnvironment,
): Promise<ObjectStore> {
  return openObjectStore(url, {
    options: Object.fromEntries(options),
    ...(variables !== undefined && { environment: variables }),
    ...(http !== undefined && { http }),
  });
}

function registerBlobs(registry: Registry, environment: CastoreEnvironment): void {
  const { http } = environment;
  registry
    .register({
      kind: blobKind,
      type: 'memory',
      description: 'Blobs in the memory of the process',
      options: {},
      fromUrl: (url) => optionsFromUrl(url),
      build: () => memoryBlobs(),
    })
    .register({
      kind: blobKind,
      type: 'file',
      description: 'Blobs on the local file system: large ones as files, small ones in a database',
      options: {
        path: option.path(),
        database: option.path().optional(),
        blocking_reads: option.boolean().default(false),
      },
      fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
      build: ({ path, database, blocking_reads: blockingReads }) =>
        openLocalBlobs({ path, blockingReads, ...(database !== undefined && { databasePath: database }) }),
    })
    .register({
      kind: blobKind,
      type: 'objectstore',
      description: 'Compressed chunks in an object store: file, memory, s3, gs, az, http(s)',
      options: { ...objectStoreOptions, avg_chunk_size: option.size({ min: 4096 }).default(262_144) },
      fromUrl: (url) => optionsFromUrl(url, { inner: 'object_store_url', query: 'object_store_options' }),
      build: async (options) =>
        openObjectStoreBlobs({
          store: await openStoreOf(options, environment),
          averageChunkBytes: options.avg_chunk_size,
        }),
    })
    .register({
      kind: blobKind,
      type: 'http',
      description: 'Read only: an object store behind a web server, `http+https://host/path`',
      options: { url: option.text() },
      fromUrl: (url) => optionsFromUrl(url, { inner: 'url' }),
      build: ({ url }) => openHttpBlobs(url, http === undefined ? {} : { http }),
    });
  for (const type of ['cache', 'combined']) {
    registry.register({
      kind: blobKind,
      type,
      description: 'A near store that is filled from a far one',
      options: { near: option.reference(blobKind), far: option.reference(blobKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ near, far }) => cacheBlobs(near, far),
    });
  }
  registry
    .register({
      kind: blobKind,
      type: 'verified',
      description: 'Checks all that a store gives which nobody trusts',
      options: { inner: option.reference(blobKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner }) => verifiedBlobs(inner),
    })
    .register({
      kind: blobKind,
      type: 'read-only',
      description: 'Refuses to write',
      options: { inner: option.reference(blobKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner }) => readOnlyBlobs(inner),
    });
}

function registerDirectories(registry: Registry, environment: CastoreEnvironment): void {
  registry
    .register({
      kind: directoryKind,
      type: 'memory',
      description: 'Directories in the memory of the process',
      options: {},
      fromUrl: (url) => optionsFromUrl(url),
      build: () => memoryDirectories(),
    })
    .register({
      kind: directoryKind,
      type: 'lmdb',
      description: 'Directories in a local database, which several processes may use',
      options: { path: option.path() },
      fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
      build: ({ path }) => lmdbDirectories(path),
    })
    .register({
      kind: directoryKind,
      type: 'objectstore',
      description: 'Closures of directories in an object store; only their roots are found',
      options: objectStoreOptions,
      fromUrl: (url) => optionsFromUrl(url, { inner: 'object_store_url', query: 'object_store_options' }),
      build: async (options) => objectStoreDirectories(await openStoreOf(options, environment)),
    })
    .register({
      kind: directoryKind,
      type: 'cache',
      description: 'A near store that is filled from a far one',
      options: { near: option.reference(directoryKind), far: option.reference(directoryKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ near, far }) => cacheDirectories(near, far),
    })
    .register({
      kind: directoryKind,
      type: 'priority',
      description: 'Several stores, asked in ascending order of their numbers',
      options: { services: option.priorities(directoryKind) },
      fromUrl: (url) => optionsFromUrl(url, { query: 'services' }),
      build: ({ services }) => priorityDirectories(services),
    })
    .register({
      kind: directoryKind,
      type: 'verified',
      description: 'Checks all that a store gives which nobody trusts',
      options: { inner: option.reference(directoryKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner }) => verifiedDirectories(inner),
    })
    .register({
      kind: directoryKind,
      type: 'read-only',
      description: 'Refuses to write',
      options: { inner: option.reference(directoryKind) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner }) => readOnlyDirectories(inner),
    });
}
