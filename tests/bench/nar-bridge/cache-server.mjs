// A cache as a process: `node cache-server.mjs <bundle> <store folder> <folder of compressed NARs, or nothing>`. It prints
// its URL when it listens, makes the compressed NARs first, and ends with SIGTERM.

import { once } from 'node:events';
import { join } from 'node:path';

const [bundle = '', folder = '', compressedFolder = ''] = process.argv.slice(2);
/** @type {typeof import('./cache-entry.mjs')} */
const library = await import(bundle);
const { nodeHashes: hashes, nodeEd25519: ed25519 } = library;

const database = join(folder, 'db');
const store = {
  blobs: await library.openLocalBlobs({ path: folder, databasePath: database }),
  directories: await library.lmdbDirectories(database),
  pathInfos: await library.lmdbPathInfos(database),
};
const compressed =
  compressedFolder === ''
    ? undefined
    : await library.CompressedNarFolder.open({ path: compressedFolder, store, hashes, maxQueued: 100_000 });
if (compressed !== undefined) {
  for await (const pathInfo of store.pathInfos.list()) compressed.request(pathInfo);
  await compressed.idle();
}
const handler = library.binaryCache({
  ...{ store, hashes, ed25519 },
  fileOf: (digest) => store.blobs.filePath(digest, false),
  ...(compressed !== undefined && { compressedNars: compressed }),
});
const server = await library.serveCache(handler, { listen: ['127.0.0.1:0'] });
process.stdout.write(`${server.addresses[0]}\n`);
await once(process, 'SIGTERM');
await server[Symbol.asyncDispose]();
await compressed?.[Symbol.asyncDispose]();
process.exit();
