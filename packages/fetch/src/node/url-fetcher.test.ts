/** Downloads from a server on this machine. Hashes are those that `nix-hash --sri` gives of the same files and trees. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { concatBytes, encodeUtf8, parseDigest } from '@neve/bytes';
import { nodeHashes as hashes } from '@neve/bytes/node';
import { equalNodes, memoryBlobs, memoryDirectories, writeTar } from '@neve/castore';
import type { ArchiveMember, BlobService } from '@neve/castore';
import { NarWriter } from '@neve/nix-compat';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fetch } from '../fetch.ts';
import type { FetchEvent, Fetched, Fetcher } from '../fetcher.ts';
import { type FetcherOptions, createFetcher } from './create-fetcher.ts';

const helloHash = parseDigest(`sha256:${createHash('sha256').update('hello').digest('hex')}`);
const helloNar = parseDigest('sha256-CkMIecJm+LV/QJKg+TXPP6zUi7zN5XYNR0jKQFFx6Wk=');
const helloExecutableNar = parseDigest('sha256-nPgU+RLrmtRn2kdwJzkyQwL4jyzGNcs+Sdg8PgHVo94=');
/** A directory with `hello` in a file named `file`. */
const treeNar = parseDigest('sha256-eusw8ttI+DNQtZwhsfZJlnBhBBacdCj+plT6W3SG+G4=');
const wrongHash = parseDigest('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');

let folder: string;
let servers: Server[] = [];
let fetchers: Fetcher[] = [];
let events: FetchEvent[] = [];
let blobs: BlobService;
let directories: FetcherOptions['directories'];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-fetch-test-'));
  blobs = memoryBlobs();
  directories = memoryDirectories();
  events = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
  for (const fetcher of fetchers) await fetcher[Symbol.asyncDispose]();
  fetchers = [];
  rmSync(folder, { recursive: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The same bytes for every request. */
function serveBytes(bytes: string | Uint8Array): Promise<string> {
  return serve((_, response) => void response.end(bytes));
}

function fetcherWith(options: Partial<FetcherOptions> = {}): Fetcher {
  const fetcher = createFetcher({
    blobs,
    directories,
    hashes,
    cacheFolder: join(folder, 'cache'),
    http: { retry: { maxAttempts: 2, baseDelayMs: 1 } },
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher;
}

function run(fetch: Fetch, options: Partial<FetcherOptions> = {}): Promise<Fetched> {
  return fetcherWith(options).fetch(fetch, { onEvent: (event) => void events.push(event) });
}

function urlFetch(url: string, hash = undefined as typeof helloHash | undefined): Fetch {
  return { kind: 'url', name: 'x', urls: [url], hash };
}

function tarballFetch(url: string, narHash = undefined as typeof helloHash | undefined): Fetch {
  return { kind: 'tarball', name: 'source', urls: [url], narHash };
}

const file = (path: string, text: string, modifiedSeconds?: number): ArchiveMember => ({
  kind: 'file',
  path: path.split('/').map(encodeUtf8),
  executable: false,
  sizeBytes: text.length,
  contents: once(encodeUtf8(text)),
  ...(modifiedSeconds === undefined ? {} : { modifiedSeconds }),
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

async function tar(...members: readonly ArchiveMember[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeTar(members)) pieces.push(piece.slice());
  return concatBytes(pieces);
}

function nar(): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => void pieces.push(bytes.slice()));
  writer.startDirectory();
  writer.entry(encodeUtf8('file'));
  writer.startRegular(5, false);
  writer.contents(encodeUtf8('hello'));
  writer.endRegular();
  writer.endDirectory();
  writer.end();
  return concatBytes(pieces);
}

function warnings(): readonly string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
}

describe('what is fetched', () => {
  test('a file as it is', async () => {
    const url = await serveBytes('hello');
    const fetched = await run(urlFetch(url, helloHash));
    expect(fetched).toMatchObject({
      narHash: helloNar,
      narSize: 120,
      source: `${url}/`,
      node: { kind: 'file', size: 5 },
    });
    expect(fetched.contentAddress).toEqual({ method: 'flat', digest: helloHash });
    expect((await run(urlFetch(url))).contentAddress).toEqual({ method: 'flat', digest: helloHash });
  });

  test('a file whose length the server does not say', async () => {
    const url = await serve((_, response) => {
      response.write('hel');
      response.end('lo');
    });
    expect(await run(urlFetch(url))).toMatchObject({ narHash: helloNar, narSize: 120 });
  });

  test('an executable, by the hash of its NAR', async () => {
    const url = await serveBytes('hello');
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const sha512 =
        'sha512-TSjU0G3w2lZUzIIfGp+K8cVyudbWqA5wI88MDAMq4Slkr+Fxy4BtmZ9daWp5WZN8cgj/bWqrTiD2HK26Fvp0yw==';
      const hash = algorithm === 'sha256' ? helloExecutableNar : parseDigest(sha512);
      const fetched = await run({ kind: 'executable', name: 'x', urls: [url], hash });
      expect(fetched.node).toMatchObject({ kind: 'file', executable: true });
      expect(fetched).toMatchObject({
        narHash: helloExecutableNar,
        contentAddress: { method: 'nar', digest: hash },
      });
    }
  });

  test('a file as an input', async () => {
    const url = await serveBytes('hello');
    const fetched = await run({ kind: 'file', name: 'source', urls: [url], narHash: helloNar });
    expect(fetched.contentAddress).toEqual({ method: 'nar', digest: helloNar });
  });

  test('a NAR, compressed or not', async () => {
    for (const bytes of [nar(), gzipSync(nar())]) {
      const url = await serveBytes(bytes);
      const fetched = await run({ kind: 'nar', name: 'x', urls: [url], hash: treeNar });
      expect(fetched).toMatchObject({ narHash: treeNar, node: { kind: 'directory' } });
    }
  });

  test('a tarball; one directory at its top is the root', async () => {
    for (const bytes of [await tar(file('top/file', 'hello')), await tar(file('file', 'hello'))]) {
      const url = await serveBytes(gzipSync(bytes));
      expect(await run(tarballFetch(url, treeNar))).toMatchObject({ narHash: treeNar, lastModified: 1 });
    }
  });

  test('a file of this machine, whatever its contents were before', async () => {
    const path = join(folder, 'hello');
    writeFileSync(path, 'other');
    await run(urlFetch(`file://${path}`));
    writeFileSync(path, 'hello');
    expect(await run(urlFetch(`file://${path}`))).toMatchObject({ narHash: helloNar });
  });

  test('a path, with the time of what was changed last', async () => {
    const path = join(folder, 'tree');
    writeFileSync(join(folder, 'file'), 'hello');
    const fetched = await run({
      kind: 'path',
      name: 'source',
      path: join(folder, 'file'),
      narHash: helloNar,
    });
    expect(Math.abs((fetched.lastModified ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    await expect(run({ kind: 'path', name: 'source', path, narHash: undefined })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});

describe('hashes', () => {
  test('another file than was expected is named in the words of Nix, and not stored', async () => {
    const url = await serveBytes('hello');
    await expect(run(urlFetch(url, wrongHash))).rejects.toMatchObject({
      code: 'hash-mismatch',
      message: `hash mismatch in file downloaded from '${url}':\n  specified: sha256:${wrongHash.format('nix32')}\n  got:       sha256:${helloHash.format('nix32')}`,
      specified: wrongHash.format('sri'),
      got: helloHash.format('sri'),
    });
    const { node } = await run(urlFetch(await serveBytes('hello'), helloHash), {
      blobs: memoryBlobs(),
      cacheFolder: join(folder, 'other'),
    });
    expect(node.kind === 'file' && (await blobs.has(node.digest))).toBe(false);
  });

  test.each(['tarball', 'nar', 'executable', 'file'] as const)('%s: another one is refused', async (kind) => {
    const url = await serveBytes(
      kind === 'tarball' ? await tar(file('file', 'hello')) : kind === 'nar' ? nar() : 'hello',
    );
    const fetch = { kind, name: 'x', urls: [url], hash: wrongHash, narHash: wrongHash } as Fetch;
    const got = { tarball: treeNar, nar: treeNar, executable: helloExecutableNar, file: helloNar }[kind];
    await expect(run(fetch)).rejects.toMatchObject({
      code: 'hash-mismatch',
      specified: wrongHash.format('sri'),
      got: got.format('sri'),
    });
  });

  test('the directories of a NAR with another hash are not there', async () => {
    const url = await serveBytes(nar());
    await expect(run({ kind: 'nar', name: 'x', urls: [url], hash: wrongHash })).rejects.toThrow();
    const { node } = await run(
      { kind: 'nar', name: 'x', urls: [url], hash: treeNar },
      { directories: memoryDirectories() },
    );
    expect(node.kind === 'directory' && (await directories.get(node.digest))).toBeUndefined();
  });
});

describe('several URLs', () => {
  test('mirrors by hash are asked first; one that has another file is passed over', async () => {
    const asked: string[] = [];
    const mirror = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('another');
    });
    const url = await serveBytes('hello');
    const fetched = await run(urlFetch(url, helloHash), { hashedMirrors: [mirror] });
    expect(asked).toEqual([`/sha256/${helloHash.format('hex')}`]);
    expect(fetched.source).toBe(`${url}/`);
    expect(warnings()).toEqual([expect.stringContaining(`hash mismatch in file downloaded from '${mirror}`)]);
  });

  test('the next is tried when one fails; in the end, another file says more than none', async () => {
    const missing = await serve((_, response) => void response.writeHead(404).end());
    const url = await serveBytes('hello');
    const urls = [`${missing}/1`, url, `${missing}/2`];
    expect((await run({ kind: 'url', name: 'x', urls, hash: helloHash })).source).toBe(`${url}/`);
    expect(warnings()).toHaveLength(1);
    await expect(run({ kind: 'url', name: 'x', urls, hash: wrongHash })).rejects.toMatchObject({
      code: 'hash-mismatch',
    });
    await expect(run(urlFetch(`${missing}/3`))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('what is remembered', () => {
  /** Changes its file when it is told, and says what it was asked. */
  async function changing(): Promise<{
    url: string;
    asked: (string | undefined)[];
    contents: { text: string };
  }> {
    const contents = { text: 'hello' };
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      const etag = `"${contents.text}"`;
      asked.push(request.headers['if-none-match']);
      if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
      response.writeHead(200, { etag }).end(contents.text);
    });
    return { url, asked, contents };
  }

  test('within the time to live nobody is asked, in another process neither', async () => {
    const { url, asked, contents } = await changing();
    const first = await run(urlFetch(url));
    contents.text = 'changed';
    expect(await run(urlFetch(url))).toEqual(first);
    expect(asked).toHaveLength(1);
    expect(events.at(-1)).toEqual({ kind: 'download-ended', url, fromCache: true });
  });

  test('afterwards the server is asked whether it has changed', async () => {
    const { url, asked, contents } = await changing();
    const options = { ttlMs: 0 };
    const first = await run(urlFetch(url), options);
    expect(await run(urlFetch(url), options)).toEqual(first);
    contents.text = 'changed';
    expect((await run(urlFetch(url), options)).narHash).not.toEqual(first.narHash);
    expect(asked).toEqual([undefined, '"hello"', '"hello"']);
  });

  test('when the server is away, the old file is given with a warning', async () => {
    const { url } = await changing();
    const first = await run(urlFetch(url));
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
    expect(await run(urlFetch(url), { ttlMs: 0 })).toEqual(first);
    expect(warnings()).toEqual([expect.stringMatching(/; using cached version$/)]);
  });

  test('what was collected as garbage is fetched again, without asking whether it has changed', async () => {
    const { url, asked } = await changing();
    await run(urlFetch(url));
    await run(urlFetch(url), { blobs: memoryBlobs() });
    expect(asked).toEqual([undefined, undefined]);
  });

  test('what has a hash is known by it, wherever it comes from', async () => {
    const { url, asked } = await changing();
    await run(urlFetch(url, helloHash));
    await run(urlFetch('http://127.0.0.1:1/', helloHash));
    await expect(run(urlFetch(url, wrongHash))).rejects.toMatchObject({ code: 'hash-mismatch' });
    expect(asked).toHaveLength(2);
  });

  test('a file and a tarball at one URL are not taken for each other', async () => {
    const url = await serveBytes(await tar(file('file', 'hello')));
    const flat = await run(urlFetch(url));
    expect(equalNodes(flat.node, (await run(tarballFetch(url))).node)).toBe(false);
  });

  test('times and the URL that never changes are remembered too', async () => {
    const bytes = await tar(file('file', 'hello'));
    const url = await serve((_, response) => {
      response.writeHead(200, { link: '</1.tar>; rel="immutable"' }).end(bytes);
    });
    const first = await run(tarballFetch(url));
    expect(first).toMatchObject({ immutableUrl: `${url}/1.tar`, lastModified: 1 });
    expect(await run(tarballFetch(url))).toEqual(first);
  });
});

describe('failures', () => {
  test('archives that are none, or hostile', async () => {
    const climbing = await tar(file('a', 'x'));
    // A name that leads outside; the checksum is made anew.
    climbing.set(encodeUtf8('../evil'), 0);
    climbing.fill(0x20, 148, 156);
    const sum = climbing.subarray(0, 512).reduce((a, b) => a + b, 0);
    climbing.set(encodeUtf8(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
    const whole = gzipSync(await tar(file('a', 'x')));
    for (const bytes of [encodeUtf8('no archive'), whole.subarray(0, whole.length / 2), climbing]) {
      const url = await serveBytes(bytes);
      await expect(run(tarballFetch(url))).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  test('passwords are in no error, event or result, and not on the disk', async () => {
    const missing = await serve((_, response) => void response.writeHead(404).end());
    const secret = (url: string): string => url.replace('//', '//user:hunter2@');
    const url = await serveBytes('hello');
    const found = await run(urlFetch(secret(url)));
    const error = await run(urlFetch(secret(missing))).catch((cause: unknown) => cause);
    const mismatch = await run(urlFetch(secret(url), wrongHash)).catch((cause: unknown) => cause);
    const shown = JSON.stringify([events, found, String(error), String(mismatch)]);
    expect(shown).toContain('hash mismatch');
    expect(shown).not.toContain('hunter2');
    await Promise.all(fetchers.map((it) => it[Symbol.asyncDispose]()));
    expect(filesIn(join(folder, 'cache'))).toContain('data.mdb');
    expect(contains(join(folder, 'cache'), 'hunter2')).toBe(false);
  });

  test('attempts are told to whom they concern', async () => {
    let count = 0;
    const url = await serve((_, response) => {
      if (count++ === 0) response.writeHead(503).end();
      else response.end('hello');
    });
    await run(urlFetch(`${url}/x`));
    expect(events.map(({ kind }) => kind)).toEqual([
      'retry',
      'download-started',
      'downloaded',
      'download-ended',
    ]);
    expect(events[0]).toMatchObject({ url: `${url}/x`, problem: expect.stringContaining('503') });
  });

  test('progress has the total', async () => {
    const url = await serveBytes('hello');
    await run(urlFetch(url));
    expect(events).toEqual([
      { kind: 'download-started', url, totalBytes: 5 },
      { kind: 'downloaded', url, bytes: 5 },
      { kind: 'download-ended', url, fromCache: false },
    ]);
  });

  test('it can be given up', async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => {
      response.write('hel');
      setTimeout(() => controller.abort(new Error('enough')), 10);
    });
    const fetching = fetcherWith().fetch(urlFetch(url), { signal: controller.signal });
    await expect(fetching).rejects.toThrow('enough');
  });

  test.each(['ftp://host/x', 'data:,x', '/no/scheme', 'file:///nowhere/at/all'])('%s', async (url) => {
    await expect(run(urlFetch(url))).rejects.toMatchObject({ name: 'FetchError' });
  });
});

function filesIn(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true }).map(({ name }) => name);
}

function contains(path: string, text: string): boolean {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .some((it) => readFileSync(join(it.parentPath, it.name)).includes(text));
}
