// What the bench needs of the packages; `run.mjs` bundles it.

export { nodeHashes } from '@neve/bytes/node';
export { StoreDirectory, generateSecretKey, storePathSet } from '@neve/nix-compat';
export { nodeEd25519 } from '@neve/nix-compat/node';
export { binaryCache } from '@neve/nar-bridge';
export { CompressedNarFolder, serveCache } from '@neve/nar-bridge/node';
export { lmdbDirectories, openLocalBlobs } from '@neve/castore/node';
export { signPathInfo } from '@neve/store';
export { lmdbPathInfos } from '@neve/store/node';
