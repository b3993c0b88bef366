// Substitutes from binary caches that a real Nix wrote, and compares what comes out.
//
// A Nix makes some store objects in a store of its own (trees, texts with references, and a build that refers to itself)
// and copies them to a cache for every compression, signed. Neve gets every path, from the folder and over HTTP from a
// server that breaks off in the middle. Each path info must say what `nix path-info` says, and the NAR of what is in castore
// must be, byte for byte, what `nix-store --dump` prints. Without the right key every path that does not prove itself must be
// refused.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { Nix, nixSettings } from './nix.mjs';

const usage = `usage: node tests/binary-cache/run.mjs [options]

  --nix-bin DIR    folder of the Nix that writes the caches (default: from PATH)`;

const here = dirname(fileURLToPath(import.meta.url));
const compressions = ['none', 'xz', 'zstd', 'bzip2', 'gzip', 'br', 'lz4', 'lzip', 'lzma'];

await runHarness({ usage, options: { 'nix-bin': { type: 'string' } } }, (values) =>
  withNixEnvironment({ settings: nixSettings }, async ({ folder, variables }) => {
    /** @type {Library} */
    const library = await import(await bundleModule(join(here, 'substituter-entry.mjs')));
    const { NIX_REMOTE: _, ...env } = variables;
    const nix = new Nix(values['nix-bin'], { folder, env });
    await nix.makeObjects();
    const known = await nix.pathInfos();
    const tally = new Tally();
    for (const compression of compressions) {
      const cache = await nix.writeCache(compression);
      await checkCache({ name: compression, cache, known, nix, library }, tally);
    }
    for (const failure of tally.failures) console.log(`FAILED ${failure}`);
    return tally.conclude();
  }),
);

/** @typedef {typeof import('./substituter-entry.mjs')} Library */

/**
 * @param {{ name: string, cache: string, known: Record<string, import('./nix.mjs').Known>, nix: Nix, library: Library }} subject
 * @param {Tally} tally
 */
async function checkCache({ name, cache, known, nix, library }, tally) {
  const keys = [library.parsePublicKey(nix.publicKey)];
  const strangers = [{ name: 'test-1', bytes: new Uint8Array(randomBytes(32)) }];
  const server = await serveBadly(cache);
  try {
    for (const [where, url] of Object.entries({ folder: pathToFileURL(cache).href, http: server.url })) {
      for (const [path, info] of Object.entries(known)) {
        const subject = `${name}, ${where}, ${path}`;
        tally.record(subject, await isSame({ url, path, info, nix, library, publicKeys: keys }));
        const proves = info.ca !== null && !info.references.includes(path);
        tally.record(
          `${subject}, wrong key`,
          proves === (await isTaken({ url, path, library, publicKeys: strangers })),
        );
      }
    }
  } finally {
    server.close();
  }
}

/**
 * @typedef {{ url: string, path: string, library: Library, publicKeys: readonly import('@neve/nix-compat').PublicKey[] }} Question
 */

/** @param {Question} question */
function openCache({ url, library, publicKeys }) {
  const services = { blobs: library.memoryBlobs(), directories: library.memoryDirectories() };
  const http = { retry: { baseDelayMs: 1, maxAttempts: 10 } };
  return { ...services, cache: library.openHttpCache({ url, publicKeys, http, ...services }) };
}

/** @param {string} path */
function hashPartOf(path) {
  return path.slice('/nix/store/'.length, '/nix/store/'.length + 32);
}

/** @param {Question & { info: import('./nix.mjs').Known, nix: Nix }} question */
async function isSame({ info, nix, ...question }) {
  const { cache, blobs, directories } = openCache(question);
  try {
    const pathInfo = await cache.get(hashPartOf(question.path));
    if (pathInfo === undefined) return false;
    const hash = createHash('sha256');
    for await (const piece of question.library.renderNar(pathInfo.node, { blobs, directories }))
      hash.update(piece);
    const absolute = (/** @type {{ baseName: string }} */ it) => `/nix/store/${it.baseName}`;
    const ours = JSON.stringify([
      absolute(pathInfo.storePath),
      pathInfo.narHash.format('sri'),
      pathInfo.narSize,
      pathInfo.references.map(absolute),
      pathInfo.signatures.map(({ keyName }) => keyName),
      pathInfo.deriver === undefined ? null : absolute(pathInfo.deriver),
      hash.digest('hex'),
    ]);
    const theirs = JSON.stringify([
      question.path,
      info.narHash,
      info.narSize,
      [...info.references].sort(),
      ['test-1'],
      info.deriver,
      await nix.dumpHash(question.path),
    ]);
    if (ours !== theirs) console.log(`ours   ${ours}\ntheirs ${theirs}`);
    return ours === theirs;
  } catch (error) {
    console.log(String(error));
    return false;
  } finally {
    await cache[Symbol.asyncDispose]();
  }
}

/** @param {Question} question */
async function isTaken(question) {
  const { cache } = openCache(question);
  try {
    return (await cache.get(hashPartOf(question.path))) !== undefined;
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== 'untrusted') console.log(String(error));
    return false;
  } finally {
    await cache[Symbol.asyncDispose]();
  }
}

/**
 * A server that takes ranges and ends every other answer for a NAR in the middle.
 *
 * @param {string} folder
 */
async function serveBadly(folder) {
  const files = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile())
      .map((it) => join(it.parentPath, it.name))
      .map((path) => [path.slice(folder.length), readFileSync(path)]),
  );
  let count = 0;
  const server = createServer((request, response) => {
    const bytes = files.get(request.url ?? '');
    if (bytes === undefined) return void response.writeHead(404).end();
    const start = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = { etag: `"${bytes.length}"`, 'content-length': bytes.length - start };
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...headers, ...range } : headers);
    const isCut = request.url?.startsWith('/nar/') === true && count++ % 2 === 0;
    if (!isCut) return void response.end(bytes.subarray(start));
    const end = start + Math.floor(Math.random() * (bytes.length - start));
    response.write(bytes.subarray(start, end), () => response.destroy());
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => void (server.closeAllConnections(), server.close()),
  };
}
