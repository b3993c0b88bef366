export { serveCache } from './cache-server.ts';
export type { CacheServer, CacheServerOptions, TlsOptions } from './cache-server.ts';
export { parseListenAddress } from './listen-address.ts';
export type { Activation, ListenAddress } from './listen-address.ts';
export { nodeContentEncoders } from './content-encoders.ts';
export { CompressedNarFolder } from './compressed/compressed-nar-folder.ts';
export type {
  CompressedNarEvent,
  CompressedNarFolderOptions,
  CompressionPolicy,
} from './compressed/compressed-nar-folder.ts';
export { lmdbUploadedNars } from './lmdb-uploaded-nars.ts';
export { lmdbCacheDocuments } from './lmdb-cache-documents.ts';
export { ServerFolder } from './tenants/server-folder.ts';
export type { CacheStorage } from './tenants/server-folder.ts';
export { localAdministration } from './tenants/local-administration.ts';
export { TenantServer, openTenantServer } from './tenants/tenant-server.ts';
export type { TenantEvent, TenantServerOptions } from './tenants/tenant-server.ts';
