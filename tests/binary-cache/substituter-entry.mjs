// What the harness needs of the packages; `run.mjs` bundles it.

export { memoryBlobs, memoryDirectories } from '@neve/castore';
export { parsePublicKey } from '@neve/nix-compat';
export { renderNar } from '@neve/store';
export { openHttpCache } from '@neve/store/node';
