// The caches are written here with the formats of `@neve/nix-compat`, whose tests compare them with Nix, and served by a
// server that does wrong what it is told to.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type CompressionFormat,
  type Node,
  encodeEntry,
  memoryBlobs,
  memoryDirectories,
} from '@neve/castore';
import { compress } from '@neve/castore/node';
import {
  type Compression,
  type ContentAddress,
  type NarInfo,
  NarWriter,
  StoreDirectory,
  StorePath,
  compressionExtensions,
  contentAddressedPath,
  fingerprintPathInfo,
  generateSecretKey,
  printNarInfo,
  publicKeyOf,
  signFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { ingestNar } from '../../ingest-nar.ts';
import { renderNar } from '../../render-nar.ts';
import { StoreError, type StoreErrorCode } from '../../store-error.ts';
import type { Substituter } from '../../substituter.ts';
import { type HttpCacheOptions, openHttpCache } from './http-cache-path-infos.ts';
import { LmdbNarInfoTable } from './lmdb-narinfo-table.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const key = generateSecretKey('test-1', nodeEd25519);
const publicKeys = [publicKeyOf(key)];
const hashPart = '0123456789abcdfghijklmnpqrsvwxyz';
const path = new StorePath(hashPart, 'snow-1.0');
const other = new StorePath('z123456789abcdfghijklmnpqrsvwxyz', 'ice');

/** A directory with a script, an empty folder, a link and a file that is large enough to be cut. */
const nar: Uint8Array = makeNar((writer) => {
  const file = (name: string, contents: Uint8Array, executable = false): void => {
    writer.entry(encodeUtf8(name));
    writer.startRegular(contents.length, executable);
    writer.contents(contents);
    writer.endRegular();
  };
  writer.startDirectory();
  file(
    'big',
    Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * i * 7919) >> 5),
  );
  writer.entry(encodeUtf8('empty'));
  writer.startDirectory();
  writer.endDirectory();
  writer.entry(encodeUtf8('link'));
  writer.symlink(encodeUtf8(`/nix/store/${other.baseName}`));
  file('run', encodeUtf8('#!/bin/sh\necho snow\n'), true);
  writer.endDirectory();
});

function makeNar(write: (writer: NarWriter) => void): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => pieces.push(bytes.slice()));
  write(writer);
  writer.end();
  return concatBytes(pieces);
}

const sha256 = (bytes: Uint8Array) => nodeHashes.hash('sha256', bytes);

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece.slice());
  return concatBytes(pieces);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

type Files = Map<string, Uint8Array>;

type Written = {
  readonly nar?: Uint8Array;
  readonly compression?: Compression;
  /** What the narinfo says instead of the truth; signed. */
  readonly lie?: Partial<NarInfo>;
  /** Changed after signing. */
  readonly forge?: Partial<NarInfo>;
  readonly signers?: readonly (typeof key)[];
};

/** The files of a cache with one path. */
async function writeCache(written: Written = {}): Promise<Files> {
  const { compression = 'none', lie = {}, forge = {}, signers = [key] } = written;
  const narBytes = written.nar ?? nar;
  const format = (compression === 'br' ? 'brotli' : compression) as CompressionFormat;
  const file = await collect(compress(once(narBytes), format));
  const fileHash = sha256(file);
  const truth: NarInfo = {
    storePath: path,
    url: `nar/${fileHash.format('nix32')}.nar${compressionExtensions[compression]}`,
    compression,
    fileHash,
    fileSize: file.length,
    narHash: sha256(narBytes),
    narSize: narBytes.length,
    references: [path, other],
    deriver: new StorePath(other.hashPart, 'snow-1.0.drv'),
    signatures: [],
  };
  const told = { ...truth, ...lie };
  const fingerprint = fingerprintPathInfo(store, told);
  const signatures = signers.map((it) => signFingerprint(fingerprint, it, nodeEd25519));
  const narInfo = { ...told, signatures, ...forge };
  return new Map([
    ['nix-cache-info', encodeUtf8('StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n')],
    [`${narInfo.storePath.hashPart}.narinfo`, encodeUtf8(printNarInfo(narInfo, store))],
    [truth.url, file],
  ]);
}

/** Answers itself, or leaves it to the files. */
type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

type Served = { readonly url: string; readonly requests: string[]; files: Files };

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(files: Files, fault: Fault = () => false): Promise<Served> {
  const served: Served = { url: '', requests: [], files };
  const server: Server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? '').slice(1));
    served.requests.push(name);
    if (fault(request, response)) return;
    const bytes = served.files.get(name);
    if (bytes === undefined) response.writeHead(404).end('no such file');
    else response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' }).end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanups.push(() => new Promise((done) => server.closeAllConnections() ?? server.close(done)));
  return Object.assign(served, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

type Opened = { readonly cache: Substituter } & Pick<HttpCacheOptions, 'blobs' | 'directories'>;

function openCache(url: string, options: Partial<HttpCacheOptions> = {}): Opened {
  const services = { blobs: memoryBlobs(), directories: memoryDirectories() };
  const http = { retry: { baseDelayMs: 1, maxAttempts: 3 } };
  const cache = openHttpCache({ url, publicKeys, http, ...services, ...options });
  cleanups.push(async () => cache[Symbol.asyncDispose]());
  return { cache, ...services };
}

async function expectSnow({ cache, blobs, directories }: Opened): Promise<void> {
  const pathInfo = await cache.get(hashPart);
  expect(pathInfo).toMatchObject({ narSize: nar.length, narHash: sha256(nar), storePath: path });
  const rendered = await collect(renderNar(pathInfo?.node as Node, { blobs, directories }));
  expect(sha256(rendered)).toEqual(sha256(nar));
}

/** What `get` throws; nothing of it is visible. */
async function expectRefused(
  { cache, directories }: Opened,
  code: StoreErrorCode,
  problem: RegExp,
): Promise<void> {
  const error: unknown = await cache.get(hashPart).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(StoreError);
  expect((error as StoreError).message).toMatch(problem);
  expect((error as StoreError).message).toContain(cache.name);
  expect((error as StoreError).code).toBe(code);
  for await (const it of directories.inventory?.list() ?? []) expect(it).toBe('nothing');
}

describe('a good cache', () => {
  test.each<Compression>([
    'none',
    'xz',
    'zstd',
    'bzip2',
    'gzip',
    'br',
    'lz4',
    'lzip',
    'lzma',
    'compress',
    'lzop',
  ])('with NARs in %s', async (compression) => {
    const { url } = await serve(await writeCache({ compression }));
    const opened = openCache(url);
    await expectSnow(opened);
    const pathInfo = await opened.cache.get(hashPart);
    expect(pathInfo?.references.map(({ baseName }) => baseName)).toEqual([path.baseName, other.baseName]);
    expect(pathInfo?.deriver?.name).toBe('snow-1.0.drv');
    expect(pathInfo?.signatures.map(({ keyName }) => keyName)).toEqual(['test-1']);
  });

  test('in a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neve-cache-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    for (const [name, bytes] of await writeCache({ compression: 'gzip' })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    const opened = openCache(pathToFileURL(folder).href);
    await expectSnow(opened);
    expect(await opened.cache.has(other.hashPart)).toBe(false);
    expect(await opened.cache.priority()).toBe(30);
  });

  test('says what it knows without a download', async () => {
    const { url, requests } = await serve(await writeCache());
    const { cache } = openCache(`${url}/`);
    expect((await cache.narInfo(hashPart))?.narSize).toBe(nar.length);
    expect(await cache.has(hashPart)).toBe(true);
    expect(await cache.has(other.hashPart)).toBe(false);
    expect(await cache.get(other.hashPart)).toBeUndefined();
    expect(await cache.priority()).toBe(30);
    expect(await cache.wantsMassQuery()).toBe(true);
    expect(requests).toEqual(['nix-cache-info', `${hashPart}.narinfo`, `${other.hashPart}.narinfo`]);
  });

  test('is asked once by many who ask at the same time', async () => {
    const { url, requests } = await serve(await writeCache());
    const { cache } = openCache(url);
    const [first, ...rest] = await Promise.all(Array.from({ length: 20 }, () => cache.get(hashPart)));
    expect(rest.every((it) => it === first)).toBe(true);
    expect(requests.length).toBe(3);
  });

  test('cannot be written to or listed', async () => {
    const { url } = await serve(await writeCache());
    const { cache } = openCache(url);
    const pathInfo = await cache.get(hashPart);
    await expect(cache.put(pathInfo as never)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(cache.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(cache.get('../../etc/passwd')).rejects.toMatchObject({ code: 'invalid-path-info' });
  });

  test('may keep narinfos encoded, and NARs behind redirects', async () => {
    const files = await writeCache({ compression: 'zstd' });
    const fault: Fault = (request, response) => {
      const name = (request.url ?? '').slice(1);
      if (name.startsWith('nar/')) {
        response.writeHead(302, { location: `/far/${name}` }).end();
      } else if (name.startsWith('far/')) {
        response.end(files.get(name.slice(4)));
      } else if (name.endsWith('.narinfo')) {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(files.get(name) ?? ''));
      } else {
        return false;
      }
      return true;
    };
    const { url } = await serve(files, fault);
    await expectSnow(openCache(url));
  });

  test.each(['zstd', 'gzip'] as const)('may encode a NAR on the way as %s', async (encoding) => {
    const files = await writeCache();
    const encoded = await collect(compress(once(nar), encoding));
    const { url } = await serve(files, (request, response) => {
      if (!request.url?.startsWith('/nar/')) return false;
      response.writeHead(200, { 'content-encoding': encoding }).end(encoded);
      return true;
    });
    await expectSnow(openCache(url));
  });
});

describe('a bad line', () => {
  test.each<Compression>(['none', 'xz', 'zstd', 'bzip2', 'gzip', 'br'])(
    'breaks off, %s',
    async (compression) => {
      const files = await writeCache({ compression });
      let cuts = 3;
      const { url, requests } = await serve(files, (request, response) => {
        const bytes = files.get((request.url ?? '').slice(1));
        if (!request.url?.startsWith('/nar/') || bytes === undefined || cuts-- <= 0) return false;
        response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' });
        response.write(bytes.subarray(0, Math.floor(Math.random() * bytes.length)), () => response.destroy());
        return true;
      });
      // This server ignores ranges; others are in the tests of the client.
      await expectSnow(openCache(url, { http: { retry: { baseDelayMs: 1, maxAttempts: 5 } } }));
      expect(requests.filter((it) => it.startsWith('nar/')).length).toBe(4);
    },
  );

  test('and busy servers', async () => {
    const statuses = [503, 429, 500];
    const { url } = await serve(await writeCache(), (_, response) => {
      const status = Math.random() < 0.5 ? statuses.pop() : undefined;
      if (status !== undefined) response.writeHead(status, { 'retry-after': '0' }).end();
      return status !== undefined;
    });
    await expectSnow(openCache(url, { http: { retry: { baseDelayMs: 1, maxAttempts: 5 } } }));
  });
});

describe('what is refused', () => {
  const lies: [string, Written, StoreErrorCode, RegExp][] = [
    [
      'a wrong FileHash',
      { forge: { fileHash: sha256(encodeUtf8('x')) }, compression: 'gzip' },
      'corrupt',
      /FileHash is sha256-/,
    ],
    ['a FileSize too small', { forge: { fileSize: 1000 } }, 'corrupt', /more bytes than its FileSize, 1000/],
    ['a FileSize too large', { forge: { fileSize: 1e15 } }, 'corrupt', /its FileSize is 1000000000000000/],
    [
      'a wrong NarHash',
      { lie: { narHash: sha256(encodeUtf8('x')) } },
      'corrupt',
      /'0123.*-snow-1\.0': the NAR hash is sha256-.*not sha256-/,
    ],
    [
      'a NarSize too small',
      { lie: { narSize: 1000 }, compression: 'xz' },
      'corrupt',
      /more than the 1000 bytes/,
    ],
    [
      'a huge NarSize',
      { lie: { narSize: 2 ** 52 } },
      'corrupt',
      /the NAR has \d+ bytes, not 4503599627370496/,
    ],
    ['no signature', { signers: [] }, 'untrusted', /it is not signed/],
    [
      'a signature by another key',
      { signers: [generateSecretKey('other-1', nodeEd25519)] },
      'untrusted',
      /signatures are by 'other-1'/,
    ],
    [
      'a wrong signature',
      { signers: [generateSecretKey('test-1', nodeEd25519)] },
      'untrusted',
      /no valid signature by a trusted key/,
    ],
    ['other references than signed', { forge: { references: [] } }, 'untrusted', /no valid signature/],
    ['another compression than it says', { forge: { compression: 'lzop' } }, 'corrupt', /the lzop stream/],
    [
      'another compression',
      { forge: { compression: 'xz' } },
      'corrupt',
      /the xz stream is cut off or damaged/,
    ],
    [
      'a NAR elsewhere',
      { forge: { url: 'nar/gone' } },
      'not-found',
      /a narinfo but no NAR at http:.*nar\/gone/,
    ],
    ['a NAR on the disk', { forge: { url: 'file:///etc/passwd' } }, 'corrupt', /not an http or https URL/],
    ['something that is no NAR', { nar: encodeUtf8('<html>'.repeat(9)) }, 'corrupt', /'0123.*': bad.*/],
    [
      'a content address of another path',
      { lie: { contentAddress: { method: 'nar', digest: sha256(nar) } } },
      'corrupt',
      /does not follow from its content address/,
    ],
  ];

  test.each(lies)('%s', async (_, written, code, problem) => {
    const { url } = await serve(await writeCache(written));
    await expectRefused(openCache(url), code, problem);
  });

  test.each<Compression>(['xz', 'zstd', 'bzip2', 'gzip', 'br'])(
    'a file in %s that is cut off',
    async (compression) => {
      const whole = await writeCache({ compression });
      const name = [...whole.keys()].find((it) => it.startsWith('nar/')) as string;
      const cut = (whole.get(name) as Uint8Array).slice(0, -20);
      whole.set(name, cut);
      const text = new TextDecoder().decode(whole.get(`${hashPart}.narinfo`));
      const forged = text.replace(/FileHash.*\nFileSize.*\n/, '');
      whole.set(`${hashPart}.narinfo`, encodeUtf8(forged));
      const { url } = await serve(whole);
      await expectRefused(openCache(url), 'corrupt', /cut off|damaged|the NAR has/);
    },
  );

  test('what follows the compressed NAR, or the NAR', async () => {
    for (const compression of ['none', 'xz'] as const) {
      const files = await writeCache({ compression });
      const name = [...files.keys()].find((it) => it.startsWith('nar/')) as string;
      files.set(name, concatBytes([files.get(name) as Uint8Array, encodeUtf8('trailing rubbish')]));
      const info = new TextDecoder().decode(files.get(`${hashPart}.narinfo`)).replace(/File.*\n/g, '');
      files.set(`${hashPart}.narinfo`, encodeUtf8(info));
      const { url } = await serve(files);
      await expectRefused(openCache(url), 'corrupt', /'0123.*'/);
    }
  });

  test('the narinfo of another path', async () => {
    const files = await writeCache({ lie: { storePath: other } });
    files.set(`${hashPart}.narinfo`, files.get(`${other.hashPart}.narinfo`) as Uint8Array);
    const { url } = await serve(files);
    await expectRefused(openCache(url), 'corrupt', /the narinfo for '0123.*' is that of 'z123.*-ice'/);
  });

  test.each(['', 'StorePath: /nix/store\n', '<html>', 'x'.repeat(5 << 20)])(
    'a malformed narinfo',
    async (text) => {
      const files = await writeCache();
      files.set(`${hashPart}.narinfo`, encodeUtf8(text));
      const { url } = await serve(files);
      const code = text.length > 1000 ? 'io' : 'corrupt';
      await expectRefused(openCache(url), code, /narinfo/);
    },
  );

  test('a cache for another store, and what is no cache', async () => {
    const files = await writeCache();
    files.set('nix-cache-info', encodeUtf8('StoreDir: /gnu/store\n'));
    const { url } = await serve(files);
    await expectRefused(
      openCache(url),
      'unsupported',
      /is for stores in '\/gnu\/store', not in '\/nix\/store'/,
    );
    const empty = await serve(new Map());
    await expectRefused(openCache(empty.url), 'io', /it is not a binary cache/);
  });

  test.each([
    [401, /answered 401 Unauthorized; give a user and a password/],
    [407, /answered 407|asks for a user/],
    [500, /answered 500 .*after 3 attempts/],
  ])('%i is an error', async (status, problem) => {
    const { url } = await serve(await writeCache(), (request, response) => {
      if (!request.url?.endsWith('.narinfo')) return false;
      response.writeHead(status).end();
      return true;
    });
    await expectRefused(openCache(url), 'io', problem);
  });

  test.each([403, 404, 410])('%i is absence', async (status) => {
    const { url } = await serve(await writeCache(), (request, response) => {
      if (!request.url?.endsWith('.narinfo')) return false;
      response.writeHead(status).end();
      return true;
    });
    expect(await openCache(url).cache.get(hashPart)).toBeUndefined();
  });

  test('a way out of the folder of a cache', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neve-cache-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'secret'), nar);
    await mkdir(join(folder, 'cache'));
    for (const [name, bytes] of await writeCache({ forge: { url: '../secret' } })) {
      if (!name.includes('/')) await writeFile(join(folder, 'cache', name), bytes);
    }
    const { cache } = openCache(pathToFileURL(join(folder, 'cache')).href);
    await expect(cache.get(hashPart)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('who vouches', () => {
  test('nobody need, when that is wanted', async () => {
    const { url } = await serve(await writeCache({ signers: [] }));
    await expectSnow(openCache(url, { publicKeys: [], acceptUnsigned: true }));
    await expectRefused(openCache(url, { publicKeys: [] }), 'untrusted', /not signed/);
    expect(() => openCache(url, { acceptUnsigned: true })).toThrow(/leave out one of them/);
  });

  const file = makeNar((writer) => {
    writer.startRegular(5, false);
    writer.contents(encodeUtf8('snow\n'));
    writer.endRegular();
  });

  const addresses: [string, ContentAddress, Uint8Array][] = [
    ['the SHA-256 of a NAR', { method: 'nar', digest: sha256(nar) }, nar],
    ['the SHA-512 of a NAR', { method: 'nar', digest: nodeHashes.hash('sha512', nar) }, nar],
    ['a file', { method: 'flat', digest: sha256(encodeUtf8('snow\n')) }, file],
    ['a text', { method: 'text', digest: sha256(encodeUtf8('snow\n')) }, file],
  ];

  test.each(addresses)('the path itself: %s', async (_, contentAddress, bytes) => {
    const storePath = contentAddressedPath(store, { name: 'snow', contentAddress });
    const lie = { storePath, contentAddress, references: [] };
    const good = await serve(await writeCache({ nar: bytes, lie, signers: [] }));
    const { cache } = openCache(good.url, { publicKeys: [] });
    expect(await cache.get(storePath.hashPart)).toMatchObject({ narSize: bytes.length, contentAddress });
    // Other contents with the hashes that belong to them, but not to the path.
    const evil = makeNar((writer) => {
      writer.startRegular(4, false);
      writer.contents(encodeUtf8('evil'));
      writer.endRegular();
    });
    const bad = await serve(await writeCache({ nar: evil, lie, signers: [] }));
    const refused = openCache(bad.url, { publicKeys: [] }).cache.get(storePath.hashPart);
    await expect(refused).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('of several signatures one is enough, and those that are wrong are left out', async () => {
    const stranger = generateSecretKey('stranger-1', nodeEd25519);
    const liar = generateSecretKey('second-1', nodeEd25519);
    const second = generateSecretKey('second-1', nodeEd25519);
    const { url } = await serve(await writeCache({ signers: [liar, stranger, key] }));
    const { cache } = openCache(url, { publicKeys: [...publicKeys, publicKeyOf(second)] });
    const pathInfo = await cache.get(hashPart);
    expect(pathInfo?.signatures.map(({ keyName }) => keyName)).toEqual(['stranger-1', 'test-1']);
  });
});

describe('memory', () => {
  test('outlives the process, for a while', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neve-narinfos-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const { url, requests } = await serve(await writeCache());
    const ask = async (): Promise<readonly boolean[]> => {
      const narInfoTable = await LmdbNarInfoTable.open(folder, { cache: url });
      const services = { blobs: memoryBlobs(), directories: memoryDirectories() };
      await using cache = openHttpCache({ url, publicKeys, narInfoTable, ...services });
      return [await cache.has(hashPart), await cache.has(other.hashPart)];
    };
    expect(await ask()).toEqual([true, false]);
    expect(requests.length).toBe(3);
    expect(await ask()).toEqual([true, false]);
    expect(requests.length).toBe(4);
    // A day later: an absence is forgotten after an hour, a narinfo is not.
    const day = 24 * 3600 * 1000;
    await using later = await LmdbNarInfoTable.open(folder, { cache: url, now: () => Date.now() + 2 * day });
    expect((await later.find(hashPart))?.text).toContain('snow-1.0');
    expect(await later.find(other.hashPart)).toBeUndefined();
    await using muchLater = await LmdbNarInfoTable.open(folder, {
      cache: url,
      now: () => Date.now() + 40 * day,
    });
    expect(await muchLater.find(hashPart)).toBeUndefined();
  });

  test('is corrected when the cache has changed', async () => {
    const served = await serve(await writeCache({ compression: 'xz' }));
    const opened = openCache(served.url);
    expect(await opened.cache.has(hashPart)).toBe(true);
    served.files = await writeCache({ compression: 'zstd' });
    await expectSnow(opened);
    const gone = openCache(served.url);
    expect(await gone.cache.has(hashPart)).toBe(true);
    served.files = new Map();
    expect(await gone.cache.get(hashPart)).toBeUndefined();
  });
});

test('a cache that failed is left alone for a while', async () => {
  let isBroken = true;
  const { url, requests } = await serve(await writeCache(), (_, response) => {
    if (isBroken) response.writeHead(500).end();
    return isBroken;
  });
  const { cache } = openCache(url, { pauseMs: 1000 });
  await expect(cache.has(hashPart)).rejects.toMatchObject({ code: 'io' });
  const asked = requests.length;
  isBroken = false;
  await expect(cache.has(hashPart)).rejects.toThrow(
    /is not asked for another 1 s, because it failed: GET http/,
  );
  await expect(cache.get(hashPart)).rejects.toMatchObject({ code: 'io' });
  expect(requests.length).toBe(asked);
  await new Promise((done) => setTimeout(done, 1010));
  expect(await cache.has(hashPart)).toBe(true);
});

test('an abort ends a download, unless somebody else waits for it', async () => {
  const files = await writeCache();
  const { url } = await serve(files, (request, response) => {
    const bytes = files.get((request.url ?? '').slice(1));
    if (!request.url?.startsWith('/nar/') || bytes === undefined) return false;
    response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000));
    setTimeout(() => response.end(bytes.subarray(1000)), 300);
    return true;
  });
  const opened = openCache(url);
  await expect(opened.cache.get(hashPart, AbortSignal.timeout(100))).rejects.toThrow(/timeout/);
  const impatient = opened.cache.get(hashPart, AbortSignal.timeout(100));
  const patient = expectSnow(opened);
  await expect(impatient).rejects.toThrow(/timeout/);
  await patient;
});

describe('a URL that names a node', () => {
  async function infused(): Promise<{
    files: Files;
    narUrl: string;
    node: Node;
    from: Pick<Opened, 'blobs' | 'directories'>;
  }> {
    const from = { blobs: memoryBlobs(), directories: memoryDirectories() };
    const { node } = await ingestNar(once(nar), { ...from, hashes: nodeHashes });
    const entry = Buffer.from(encodeEntry(node)).toString('base64url');
    const narUrl = `nar/snix-castore/${entry}?narsize=${nar.length}`;
    const files = await writeCache({ forge: { url: narUrl, fileHash: undefined } });
    files.set(narUrl, nar);
    return { files, narUrl, node, from };
  }

  test('is not downloaded when castore has it all', async () => {
    const { files, from } = await infused();
    const { url, requests } = await serve(files);
    await expectSnow({ ...openCache(url, from), ...from });
    expect(requests.length).toBe(2);
  });

  test('is downloaded when something is missing', async () => {
    const { files, narUrl, from } = await infused();
    const { url, requests } = await serve(files);
    const opened = openCache(url, { ...from, blobs: memoryBlobs() });
    expect(await opened.cache.get(hashPart)).toMatchObject({ narSize: nar.length });
    expect(requests.at(-1)).toBe(narUrl);
  });

  test('is not believed when it names something else', async () => {
    const { files, narUrl, from } = await infused();
    const evil = await from.blobs.put(encodeUtf8('evil'));
    const lie = Buffer.from(encodeEntry({ kind: 'file', digest: evil, size: 4, executable: false })).toString(
      'base64url',
    );
    const evilUrl = `nar/snix-castore/${lie}?narsize=${nar.length}`;
    const text = new TextDecoder().decode(files.get(`${hashPart}.narinfo`)).replace(narUrl, evilUrl);
    files.set(`${hashPart}.narinfo`, encodeUtf8(text));
    files.set(evilUrl, nar);
    const { url, requests } = await serve(files);
    await expectSnow({ ...openCache(url, from), ...from });
    expect(requests.at(-1)).toBe(evilUrl);
  });
});
