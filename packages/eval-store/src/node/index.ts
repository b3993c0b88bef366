export { createFileSystemIO } from './file-system-io.ts';
export type { FileSystemIOOptions } from './file-system-io.ts';
export { createStoreIO } from './store-io.ts';
export type { OpenedStore, StoreIOOptions } from './store-io.ts';
