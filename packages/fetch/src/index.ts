export { FetchError } from './fetch-error.ts';
export type { FetchErrorCode, FetchErrorOptions } from './fetch-error.ts';
export type {
  ExecutableFetch,
  Fetch,
  GitFetch,
  NarFetch,
  PathFetch,
  TarballFetch,
  UrlFetch,
} from './fetch.ts';
export type { FetchEvent, FetchOptions, Fetched, FetchedRevision, Fetcher } from './fetcher.ts';
