export { createFetcher } from './create-fetcher.ts';
export type { FetcherOptions } from './create-fetcher.ts';
