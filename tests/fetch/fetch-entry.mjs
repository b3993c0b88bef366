// What the harness needs of the packages; `run.mjs` bundles it.

export { nodeHashes } from '@neve/bytes/node';
export { memoryBlobs, memoryDirectories } from '@neve/castore';
export { fetchResultAttributes, readFetchArguments } from '@neve/fetch';
export { createFetcher } from '@neve/fetch/node';
export { StoreDirectory, contentAddressedPath } from '@neve/nix-compat';
