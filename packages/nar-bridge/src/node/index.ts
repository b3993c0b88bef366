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
