// Servers of our own as upstreams, and one that lies, of node:http. What is right is known from what was pushed to the first.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import {
  StoreDirectory,
  generateSecretKey,
  parseNarInfo,
  printNarInfo,
  printPublicKey,
  printSignature,
  publicKeyOf,
  signFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type PathInfo, renderNar, signPathInfo } from '@neve/store';
import { memoryStore, putSamplePath } from '@neve/store/testing';
import type { CacheSettings } from '../../tenants/cache-record.ts';
import { type CacheServer, serveCache } from '../cache-server.ts';
import { localAdministration } from './local-administration.ts';
import { ServerFolder } from './server-folder.ts';
import { type TenantEvent, type TenantServer, openTenantServer } from './tenant-server.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const key = generateSecretKey('up-1', nodeEd25519);
const publicKeys = [printPublicKey(publicKeyOf(key))];

let path: string;
let folder: ServerFolder;
let tenants: TenantServer;
let server: CacheServer;
let base: string;
let events: TenantEvent[];
let upstreams: Upstream[];

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'neve-upstreams-'));
  [events, upstreams] = [[], []];
  folder = await ServerFolder.open(join(path, 'server'), { create: true });
  tenants = openTenantServer({
    folder,
    upstreamTimeoutMs: 500,
    upstreamPauseMs: 800,
    onEvent: (it) => events.push(it),
  });
  server = await serveCache(tenants.handler, { listen: ['127.0.0.1:0'], graceMs: 100 });
  base = server.addresses[0] ?? '';
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await tenants[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  for (const it of upstreams) it.close();
  await rm(path, { recursive: true });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Files of a static cache, whose server may do anything instead. */
class Upstream {
  readonly files = new Map<string, Buffer>();
  readonly asked: string[] = [];
  /** Whether it answered by itself. */
  instead: Answer = () => false;
  url = '';
  close: () => void = () => undefined;

  static async start(): Promise<Upstream> {
    const it = new Upstream();
    upstreams.push(it);
    it.files.set('/nix-cache-info', Buffer.from('StoreDir: /nix/store\nPriority: 30\n'));
    const listening = createServer((request, response) => {
      it.asked.push(request.url ?? '');
      if (it.instead(request, response)) return;
      const file = it.files.get(request.url ?? '');
      response.writeHead(file === undefined ? 404 : 200, { 'content-length': file?.length ?? 0 }).end(file);
    });
    await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
    it.url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    it.close = () => {
      listening.closeAllConnections();
      listening.close();
    };
    return it;
  }

  async add(
    seed: string,
    references: readonly string[] = [],
  ): Promise<{ pathInfo: PathInfo; nar: Buffer; file: string }> {
    const store = memoryStore();
    const unsigned = await putSamplePath(
      { seed, references, shared: ['some', 'more', 'files'] },
      store,
      nodeHashes,
    );
    const pathInfo = signPathInfo(unsigned, { keys: [key], store: storeDirectory, ed25519: nodeEd25519 });
    const pieces: Uint8Array[] = [];
    for await (const piece of renderNar(pathInfo.node, store)) pieces.push(piece.slice());
    const nar = Buffer.concat(pieces);
    const file = `nar/${pathInfo.narHash.format('nix32')}.nar`;
    const text = printNarInfo(
      { ...pathInfo, url: file, compression: 'none', fileHash: pathInfo.narHash, fileSize: nar.length },
      storeDirectory,
    );
    this.files.set(`/${file}`, nar);
    this.files.set(`/${pathInfo.storePath.hashPart}.narinfo`, Buffer.from(text));
    return { pathInfo, nar, file };
  }

  count(path: string): number {
    return this.asked.filter((it) => it === path).length;
  }
}

async function create(urls: readonly string[], settings: Partial<CacheSettings> = {}): Promise<void> {
  const given = urls.map((url, index) => ({ url, publicKeys, priority: index }));
  await localAdministration(folder).create('main', { isPublic: true, upstreams: given, ...settings });
}

function narInfoUrl({ storePath }: PathInfo): string {
  return `${base}/main/${storePath.hashPart}.narinfo`;
}

/** As a client: first the narinfo, then the NAR that it names. */
async function substitute(pathInfo: PathInfo): Promise<Buffer> {
  const response = await fetch(narInfoUrl(pathInfo));
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const narInfo = parseNarInfo(await response.text(), storeDirectory);
  expect(narInfo.narHash.equals(pathInfo.narHash)).toBe(true);
  const nar = await fetch(`${base}/main/${narInfo.url}`);
  if (nar.status !== 200) throw new Error(`status ${nar.status}`);
  return Buffer.from(await nar.arrayBuffer());
}

/** What the cache itself has. */
async function committed(): Promise<readonly string[]> {
  const record = await folder.registry.get('main');
  if (record === undefined) throw new Error('it is there');
  await using storage = await folder.openCache(record);
  const names: string[] = [];
  for await (const { storePath } of storage.pathInfos.list()) names.push(storePath.name);
  return names.sort();
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 500 && !(await condition()); i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await condition()).toBe(true);
}

test('what an upstream has is given, signed by both, and stays', async () => {
  const upstream = await Upstream.start();
  const { pathInfo, nar, file } = await upstream.add('a');
  await create([upstream.url]);
  const text = await (await fetch(narInfoUrl(pathInfo))).text();
  expect(parseNarInfo(text, storeDirectory).signatures.map(({ keyName }) => keyName)).toEqual([
    'main-1',
    'up-1',
  ]);
  expect(text).not.toContain(upstream.url);
  expect(upstream.count(`/${file}`)).toBe(0);
  expect(await substitute(pathInfo)).toEqual(nar);
  await until(async () => (await committed()).length === 1);
  upstream.close();
  expect(await substitute(pathInfo)).toEqual(nar);
  expect(await readdir(folder.downloadsFolder)).toEqual([]);
});

test('what is not to stay is given all the same', async () => {
  const upstream = await Upstream.start();
  const { pathInfo, nar } = await upstream.add('a');
  await create([upstream.url], { keepsFromUpstreams: false });
  expect(await substitute(pathInfo)).toEqual(nar);
  expect(await substitute(pathInfo)).toEqual(nar);
  expect(await committed()).toEqual([]);
});

test('a path comes with all that it refers to', async () => {
  const upstream = await Upstream.start();
  await upstream.add('c');
  await upstream.add('b', ['c', 'b']);
  const { pathInfo } = await upstream.add('a', ['b', 'c']);
  const { pathInfo: broken, nar } = await upstream.add('broken', ['nowhere']);
  await create([upstream.url]);
  await substitute(pathInfo);
  await until(async () => (await committed()).join() === 'a,b,c');
  expect(await substitute(broken)).toEqual(nar);
  await until(() => events.some(({ kind }) => kind === 'not-pulled'));
  expect(await committed()).toEqual(['a', 'b', 'c']);
});

test('twenty clients are one question and one download, which they follow while it comes', async () => {
  const upstream = await Upstream.start();
  const { pathInfo, nar, file } = await upstream.add('a');
  let goOn = (): void => undefined;
  upstream.instead = (request, response) => {
    if (request.url !== `/${file}`) return false;
    response.writeHead(200, { 'content-length': nar.length }).write(nar.subarray(0, 100));
    goOn = () => void response.end(nar.subarray(100));
    return true;
  };
  await create([upstream.url]);
  const clients = Array.from({ length: 20 }, () => substitute(pathInfo));
  const first = await fetch(`${base}/main/${file}?hash=${pathInfo.storePath.hashPart}`);
  const reader = first.body?.getReader();
  // There is something before the upstream has given all.
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
  await reader?.cancel();
  goOn();
  for (const got of await Promise.all(clients)) expect(got).toEqual(nar);
  expect(upstream.count(`/${pathInfo.storePath.hashPart}.narinfo`)).toBe(1);
  expect(upstream.count(`/${file}`)).toBe(1);
});

test('an absence is remembered', async () => {
  const upstream = await Upstream.start();
  const { pathInfo } = await upstream.add('a');
  const hashPart = pathInfo.storePath.hashPart.replace(/^..../, '0000');
  await create([upstream.url]);
  for (let i = 0; i < 5; i++) expect((await fetch(`${base}/main/${hashPart}.narinfo`)).status).toBe(404);
  expect(upstream.count(`/${hashPart}.narinfo`)).toBe(1);
});

describe('an upstream that is wrong', () => {
  const cases: Readonly<Record<string, (good: Buffer) => Buffer>> = {
    'another byte': (nar) =>
      Buffer.concat([nar.subarray(0, 200), Buffer.of((nar[200] ?? 0) ^ 1), nar.subarray(201)]),
    'another NAR of this size': (nar) => Buffer.from(nar.map((it) => (it === 0x61 ? 0x62 : it))),
    'a byte more': (nar) => Buffer.concat([nar, Buffer.of(0)]),
    'less than all': (nar) => nar.subarray(0, -8),
    nothing: () => Buffer.of(),
    'a page about an error': () => Buffer.from('<html>'.repeat(1000)),
  };
  test.each(Object.entries(cases))(
    '%s: nobody has all of it, and nothing is committed',
    async (_, change) => {
      const [upstream, good] = [await Upstream.start(), await Upstream.start()];
      const { pathInfo, nar, file } = await upstream.add('a');
      await good.add('a');
      upstream.files.set(`/${file}`, change(nar));
      await create([upstream.url, good.url]);
      const got = await substitute(pathInfo).catch((error: unknown) => error);
      // It may have been taken from the other one when nothing was given yet.
      if (Buffer.isBuffer(got)) expect(got).toEqual(nar);
      else expect(got).toBeInstanceOf(Error);
      if (!Buffer.isBuffer(got)) expect(await committed()).toEqual([]);
      // The next one has it from the other.
      expect(await substitute(pathInfo)).toEqual(nar);
      await until(async () => (await committed()).length === 1);
    },
  );

  test('a narinfo without a signature that counts is not believed', async () => {
    const upstream = await Upstream.start();
    const { pathInfo } = await upstream.add('a');
    const name = `/${pathInfo.storePath.hashPart}.narinfo`;
    const text = String(upstream.files.get(name));
    upstream.files.set(name, Buffer.from(text.replace(/NarSize: .*/, 'NarSize: 104')));
    await create([upstream.url]);
    expect((await fetch(narInfoUrl(pathInfo))).status).toBe(502);
    expect(await committed()).toEqual([]);
  });
});

describe('an upstream that is down', () => {
  test('is found to be so soon, and left alone; the others are asked', async () => {
    const [dead, alive] = [await Upstream.start(), await Upstream.start()];
    const { pathInfo, nar } = await alive.add('a');
    dead.close();
    await create([dead.url, alive.url]);
    const startedMs = performance.now();
    expect(await substitute(pathInfo)).toEqual(nar);
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });

  test('is a clear failure without others, or an absence where that is wanted', async () => {
    const upstream = await Upstream.start();
    const { pathInfo } = await upstream.add('a');
    upstream.close();
    await create([upstream.url]);
    for (let i = 0; i < 3; i++) {
      const startedMs = performance.now();
      const response = await fetch(narInfoUrl(pathInfo));
      expect([response.status, await response.text()]).toEqual([
        502,
        expect.stringContaining('cannot be asked at the moment'),
      ]);
      expect(performance.now() - startedMs).toBeLessThan(4000);
    }
    await localAdministration(folder).configure('main', { upstreamFallback: true });
    expect((await fetch(narInfoUrl(pathInfo))).status).toBe(404);
  });

  test('and says nothing holds up only the first, until it is asked again', async () => {
    const upstream = await Upstream.start();
    const { pathInfo, nar } = await upstream.add('a');
    upstream.instead = () => true;
    await create([upstream.url]);
    expect((await fetch(narInfoUrl(pathInfo))).status).toBe(502);
    const asked = upstream.asked.length;
    expect((await fetch(narInfoUrl(pathInfo))).status).toBe(502);
    expect(upstream.asked.length).toBe(asked);
    upstream.instead = () => false;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await substitute(pathInfo)).toEqual(nar);
  });

  test('in the middle of a NAR cuts it off', async () => {
    const upstream = await Upstream.start();
    const { pathInfo, nar, file } = await upstream.add('a');
    upstream.instead = (request, response) => {
      if (request.url !== `/${file}`) return false;
      response
        .writeHead(200, { 'content-length': nar.length })
        .write(nar.subarray(0, 150), () => response.destroy());
      return true;
    };
    await create([upstream.url]);
    await expect(substitute(pathInfo)).rejects.toThrow();
    expect(await committed()).toEqual([]);
    upstream.instead = () => false;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await substitute(pathInfo)).toEqual(nar);
  });
});

test('what an upload refers to is taken from upstreams', async () => {
  const upstream = await Upstream.start();
  const { pathInfo: lib } = await upstream.add('lib');
  const other = await Upstream.start();
  const { pathInfo, nar, file } = await other.add('app', ['lib']);
  await create([upstream.url]);
  const { newTokenClaims } = await import('../../tenants/access-token.ts');
  const claims = newTokenClaims({ subject: 'x', scopes: { push: ['*'], pull: ['*'] }, nowMs: Date.now() });
  const headers = { authorization: `Bearer ${await folder.tokenKey.sign(claims)}` };
  expect((await fetch(narInfoUrl(lib), { method: 'HEAD' })).status).toBe(200);
  const text = String(other.files.get(`/${pathInfo.storePath.hashPart}.narinfo`));
  expect(
    (await fetch(`${base}/main/${file}`, { method: 'PUT', headers, body: new Uint8Array(nar) })).status,
  ).toBe(201);
  expect((await fetch(narInfoUrl(pathInfo), { method: 'PUT', headers, body: text })).status).toBe(201);
  expect(await committed()).toEqual(['app', 'lib']);
  const served = await (await fetch(`${base}/main/${file}`)).arrayBuffer();
  expect(createHash('sha256').update(Buffer.from(served)).digest('hex')).toBe(pathInfo.narHash.format('hex'));
});

describe('logs and build traces', () => {
  const log = `/log/${'0'.repeat(32)}-a.drv`;
  const id = `sha256:${'ab'.repeat(32)}!out`;
  const trace = `/realisations/${id}.doi`;

  /** As a Nix before 2.35 signs it. */
  function signedTrace({ storePath }: PathInfo, by = key): Buffer {
    const text = `{"dependentRealisations":{},"id":"${id}","outPath":"${storePath.baseName}"}`;
    const signature = printSignature(signFingerprint(text, by, nodeEd25519));
    return Buffer.from(JSON.stringify({ ...JSON.parse(text), signatures: [signature] }));
  }

  test('come from upstreams that have them, one question a minute for those that none has', async () => {
    const [empty, full] = [await Upstream.start(), await Upstream.start()];
    const { pathInfo } = await full.add('a');
    full.files.set(log, Buffer.from('it was built\n'));
    full.files.set(trace, signedTrace(pathInfo));
    await create([empty.url, full.url]);
    const answer = await fetch(`${base}/main${log}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'it was built\n']);
    expect((await fetch(`${base}/main${log}`, { method: 'HEAD' })).status).toBe(200);
    for (const name of [trace, trace.replace('!', '%21')]) {
      const { signatures, outPath } = await (await fetch(`${base}/main${name}`)).json();
      expect(outPath).toBe(pathInfo.storePath.baseName);
      expect(signatures.map((it: string) => it.split(':')[0])).toEqual(['up-1', 'main-1']);
    }
    const absent = log.replace('-a.drv', '-b.drv');
    for (let i = 0; i < 3; i++) expect((await fetch(`${base}/main${absent}`)).status).toBe(404);
    expect([empty.count(absent), full.count(absent)]).toEqual([1, 1]);
    // Nothing else is asked of upstreams.
    expect((await fetch(`${base}/main/log/etc`)).status).toBe(404);
    expect(full.count('/log/etc')).toBe(0);
  });

  test('a trace that is not signed by a key of its upstream, or names a path that is nowhere, is none', async () => {
    const upstream = await Upstream.start();
    const [{ pathInfo }, elsewhere] = [await upstream.add('a'), await (await Upstream.start()).add('b')];
    await create([upstream.url]);
    const stranger = generateSecretKey('up-1', nodeEd25519);
    for (const bytes of [
      signedTrace(pathInfo, stranger),
      signedTrace(elsewhere.pathInfo),
      Buffer.from('{}'),
      Buffer.from('<html>'),
      Buffer.alloc(2 << 20, ' '),
    ]) {
      upstream.files.set(trace, bytes);
      expect((await fetch(`${base}/main${trace}`)).status).toBe(404);
    }
    upstream.files.set(trace, signedTrace(pathInfo));
    expect((await fetch(`${base}/main${trace}`)).status).toBe(200);
  });

  test('an upstream that is down is a failure, not an absence', async () => {
    const upstream = await Upstream.start();
    await create([upstream.url]);
    upstream.close();
    expect((await fetch(`${base}/main${log}`)).status).toBe(502);
  });
});
