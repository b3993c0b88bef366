export { decodeDescribed, encodeDescribed } from './described-records.ts';
export { createDirectoryStoreIO } from './directory-store-io.ts';
export type { DirectoryStoreIO, DirectoryStoreIOOptions } from './directory-store-io.ts';
export { type FileSystemIO, createFileSystemIO } from './file-system-io.ts';
export type { FileSystemIOOptions } from './file-system-io.ts';
export { createLazyStoreIO } from './lazy-store-io.ts';
export type { Added, LazyStoreIO, LazyStoreIOOptions, StoreIO } from './lazy-store-io.ts';
