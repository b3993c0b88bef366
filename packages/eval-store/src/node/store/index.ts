export { createStoreIO } from './store-io.ts';
export type { StoreIOOptions } from './store-io.ts';
export { treeFetcher } from './fetch-tree.ts';
export type { FetchTreeOptions } from './fetch-tree.ts';
