// What the fuzzer needs of the packages' sources.

export { concatBytes, encodeUtf8 } from '@neve/bytes';
export { nodeHashes } from '@neve/bytes/node';
export { NarWriter, StoreDirectory, contentAddressedPath } from '@neve/nix-compat';
export {
  encodeWire,
  encodeWorkerRequest,
  addedPathInfo,
  bytes,
  frameStart,
  requestStream,
  size,
  workerOperations,
} from '@neve/nix-compat/protocols';
export { verifyStore } from '@neve/store';
export { serveSession } from '@neve/nix-daemon';
export { memoryConnection } from '../../packages/nix-daemon/src/testing/memory-connection.ts';
export { memoryDaemon } from '../../packages/nix-daemon/src/testing/memory-services.ts';
export { TestClient } from '../../packages/nix-daemon/src/testing/test-client.ts';
