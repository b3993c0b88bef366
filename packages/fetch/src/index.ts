export { FetchError } from './fetch-error.ts';
export type { FetchErrorCode, FetchErrorOptions } from './fetch-error.ts';
export type {
  ExecutableFetch,
  Fetch,
  FileFetch,
  ForgeFetch,
  GitFetch,
  MercurialFetch,
  NarFetch,
  PathFetch,
  TarballFetch,
  UrlFetch,
} from './fetch.ts';
export type { FetchEvent, FetchOptions, Fetched, FetchedRevision, Fetcher } from './fetcher.ts';
export { fetchResultAttributes, readFetchArguments } from './fetch-arguments.ts';
export type {
  FetchArgument,
  FetchBuiltin,
  FetchRequest,
  FetchResult,
  FetchSettings,
} from './fetch-arguments.ts';
export type { InputAttributes } from './input-attributes.ts';
export type { ExperimentalFeature, LockSettings } from './input-scheme.ts';
export {
  checkPurity,
  fetchOfTreeReference,
  isLocked,
  parseTreeReference,
  printTreeReference,
  treeReferenceOfAttributes,
} from './tree-reference.ts';
export type { TreeReference, TreeReferenceOptions } from './tree-reference.ts';
export { lockTreeReference, treeAttributes } from './tree-attributes.ts';
export type { TreeAttributesOptions } from './tree-attributes.ts';
export { tracedFetcher } from './traced-fetcher.ts';
