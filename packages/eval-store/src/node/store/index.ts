export { createStoreIO } from './store-io.ts';
export type { StoreIOOptions } from './store-io.ts';
