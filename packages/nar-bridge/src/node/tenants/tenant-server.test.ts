// Statuses are those of the table in `authorisation.ts`; narinfos and NARs are made and read by packages whose tests compare
// them with Nix.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  StoreDirectory,
  parseNarInfo,
  parsePublicKey,
  printNarInfo,
  fingerprintPathInfo,
  verifyFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type PathInfo, type StoreServices, infusedNarUrl, renderNar } from '@neve/store';
import { memoryStore, putSamplePath } from '@neve/store/testing';
import type { CacheRequest, CacheResponse, FileBody } from '../../http-exchange.ts';
import { type TokenClaims, newTokenClaims } from '../../tenants/access-token.ts';
import type { CacheAdministration } from '../../tenants/cache-administration.ts';
import { localAdministration } from './local-administration.ts';
import { ServerFolder } from './server-folder.ts';
import { type TenantServer, type TenantServerOptions, openTenantServer } from './tenant-server.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);

let path: string;
let folder: ServerFolder;
let server: TenantServer;
let administration: CacheAdministration;
let everything: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'neve-tenants-'));
  await open();
});

afterEach(async () => {
  await close();
  await rm(path, { recursive: true });
});

async function open(options: Partial<TenantServerOptions> = {}): Promise<void> {
  folder = await ServerFolder.open(join(path, 'server'), { create: true });
  server = openTenantServer({ folder, ...options });
  administration = localAdministration(folder);
  everything = await token({ pull: ['*'], push: ['*'], delete: ['*'], configure: ['*'] });
}

async function close(): Promise<void> {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}

function token(scopes: TokenClaims['scopes'], lifetimeMs?: number): Promise<string> {
  return folder.tokenKey.sign(newTokenClaims({ subject: 'test', scopes, nowMs: Date.now(), lifetimeMs }));
}

type Asked = {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: Uint8Array | undefined;
};

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (bytes.length > 0) yield bytes;
}

async function ask(
  target: string,
  { method = 'GET', token: given, body = new Uint8Array() }: Asked = {},
): Promise<CacheResponse> {
  const [pathname = '', query = ''] = target.split('?');
  const request: CacheRequest = {
    method,
    path: pathname,
    query: new URLSearchParams(query),
    headers: { host: 'cache.example', ...(given !== undefined && { authorization: `Bearer ${given}` }) },
    body: piece(body),
    signal: new AbortController().signal,
  };
  return server.handler(request);
}

async function bodyOf({ body }: CacheResponse): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  if ('file' in body) return await partOf(body);
  const pieces: Uint8Array[] = [];
  for await (const it of 'pieces' in body ? body.pieces : body) {
    pieces.push('file' in it ? await partOf(it) : it.slice());
  }
  return concatBytes(pieces);
}

async function partOf({ file, start, end }: FileBody): Promise<Uint8Array> {
  return (await readFile(file)).subarray(start, end);
}

async function textOf(response: CacheResponse): Promise<string> {
  return decodeUtf8(await bodyOf(response));
}

/** All that a client sees. */
async function shown(response: CacheResponse): Promise<string> {
  return JSON.stringify([response.status, response.headers, await textOf(response)]);
}

const json = (value: unknown): Uint8Array => encodeUtf8(JSON.stringify(value));

type Pushed = { readonly pathInfo: PathInfo; readonly nar: Uint8Array; readonly narFile: string };

/** Uploads a path as Nix does. */
async function push(
  cache: string,
  seed: string,
  references: readonly string[] = [],
  store: StoreServices = memoryStore(),
): Promise<Pushed> {
  const pathInfo = await putSamplePath({ seed, references }, store, nodeHashes);
  const nar = await bodyOf({ status: 200, headers: {}, body: renderNar(pathInfo.node, store) });
  const narFile = `nar/${pathInfo.narHash.format('nix32')}.nar`;
  expect((await ask(`/${cache}/${narFile}`, { method: 'PUT', token: everything, body: nar })).status).toBe(
    201,
  );
  const text = printNarInfo(
    { ...pathInfo, url: narFile, compression: 'none', fileHash: pathInfo.narHash, fileSize: nar.length },
    storeDirectory,
  );
  const put = await ask(narInfoOf(cache, pathInfo), {
    method: 'PUT',
    token: everything,
    body: encodeUtf8(text),
  });
  expect([put.status, await textOf(put)]).toEqual([201, '']);
  return { pathInfo, nar, narFile };
}

function narInfoOf(cache: string, { storePath }: Pick<PathInfo, 'storePath'>): string {
  return `/${cache}/${storePath.hashPart}.narinfo`;
}

describe('caches', () => {
  test('one path has the signature of each cache that it is asked for from', async () => {
    for (const name of ['a', 'b']) {
      await administration.create(name, { isPublic: true });
      const { pathInfo } = await push(name, 'same');
      const narInfo = parseNarInfo(await textOf(await ask(narInfoOf(name, pathInfo))), storeDirectory);
      expect(narInfo.signatures.map(({ keyName }) => keyName)).toEqual([`${name}-1`]);
      const { publicKeys } = await administration.describe(name);
      const keys = publicKeys.map(parsePublicKey);
      const [signature] = narInfo.signatures;
      if (signature === undefined) throw new Error('it is signed');
      const fingerprint = fingerprintPathInfo(storeDirectory, pathInfo);
      expect(verifyFingerprint(fingerprint, { signature, keys }, nodeEd25519)).toBe(true);
    }
  });

  test('what another cache has cannot be had from this one, by any name', async () => {
    await administration.create('mine', { isPublic: true });
    await administration.create('theirs', {});
    const { pathInfo, narFile, nar } = await push('theirs', 'secret');
    const urls = [
      infusedNarUrl(pathInfo.node, pathInfo.narSize),
      narFile,
      `${narFile}?hash=${pathInfo.storePath.hashPart}`,
    ];
    for (const url of urls) {
      expect(await bodyOf(await ask(`/theirs/${url}`, { token: everything }))).toEqual(nar);
      expect((await ask(`/mine/${url}`)).status).toBe(404);
      expect((await ask(`/mine/${url}`, { method: 'HEAD' })).status).toBe(404);
      expect((await ask(`/mine/${url.replace('nar/', 'n%61r/')}`)).status).toBe(404);
    }
    expect((await ask(narInfoOf('mine', pathInfo))).status).toBe(404);
    // Nor by a narinfo that says that its contents are here.
    for (const url of urls.slice(0, 2)) {
      const text = printNarInfo(
        { ...pathInfo, url, compression: 'none', fileHash: pathInfo.narHash, fileSize: nar.length },
        storeDirectory,
      );
      const put = await ask(narInfoOf('mine', pathInfo), {
        method: 'PUT',
        token: everything,
        body: encodeUtf8(text),
      });
      expect(put.status).toBe(409);
    }
    const missing = await ask('/mine/_api/v1/get-missing-paths', {
      method: 'POST',
      token: everything,
      body: json({ paths: [pathInfo.storePath.baseName] }),
    });
    expect(await textOf(missing)).toBe(`{"missing":["${pathInfo.storePath.baseName}"]}\n`);
  });

  test('one that may not be seen answers as one that is not there, byte for byte', async () => {
    await administration.create('private', {});
    const { pathInfo, narFile } = await push('private', 'secret');
    const expired = await token({ pull: ['*'] }, -1000);
    const elsewhere = await token({ pull: ['else*'], push: ['else*'] });
    const files = [
      'nix-cache-info',
      `${pathInfo.storePath.hashPart}.narinfo`,
      narFile,
      '',
      '_api/v1/info',
      '_api/v1/pins',
    ];
    for (const given of [undefined, 'nonsense', expired, elsewhere]) {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH']) {
        for (const file of files) {
          const forbidden = await shown(await ask(`/private/${file}`, { method, token: given }));
          expect(await shown(await ask(`/absent/${file}`, { method, token: given }))).toBe(forbidden);
          expect(forbidden).toMatch(given === elsewhere ? /^\[404/ : /^\[401/);
        }
      }
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const forbidden = await shown(await ask('/_api/v1/caches/private', { method, token: given }));
        expect(await shown(await ask('/_api/v1/caches/absent', { method, token: given }))).toBe(forbidden);
      }
    }
  });

  test('changes are seen while the server runs', async () => {
    expect((await ask('/new/nix-cache-info')).status).toBe(401);
    await administration.create('new', { priority: 7 });
    expect((await ask('/new/nix-cache-info')).status).toBe(401);
    await administration.configure('new', { isPublic: true });
    expect(await textOf(await ask('/new/nix-cache-info'))).toContain('Priority: 7\n');
    await administration.configure('new', { priority: 8 });
    expect(await textOf(await ask('/new/nix-cache-info'))).toContain('Priority: 8\n');
    const { pathInfo } = await push('new', 'x');
    await administration.remove('new');
    expect((await ask(narInfoOf('new', pathInfo))).status).toBe(401);
    await administration.create('new', { isPublic: true });
    expect((await ask(narInfoOf('new', pathInfo))).status).toBe(404);
    await administration.collect({ graceMs: 0 });
    expect((await readdir(join(path, 'server/caches'))).length).toBe(1);
  });

  test('what is private is kept by nobody on the way', async () => {
    await administration.create('open', { isPublic: true });
    await administration.create('closed', {});
    for (const [name, expected] of [
      ['open', 'public'],
      ['closed', 'private'],
    ] as const) {
      const { pathInfo } = await push(name, 'x');
      const nar = infusedNarUrl(pathInfo.node, pathInfo.narSize);
      for (const file of [`/${name}/nix-cache-info`, narInfoOf(name, pathInfo), `/${name}/${nar}`]) {
        const { status, headers } = await ask(file, { token: everything });
        expect([status, headers['cache-control']?.split(',')[0]]).toEqual([200, expected]);
      }
    }
  });

  test('a restart loses nothing', async () => {
    await administration.create('main', {});
    const { pathInfo, nar, narFile } = await push('main', 'x');
    const before = everything;
    await close();
    await open();
    expect((await ask(narInfoOf('main', pathInfo), { token: before })).status).toBe(200);
    expect(await bodyOf(await ask(`/main/${narFile}`, { token: before }))).toEqual(nar);
  });

  test('are found at the root and by host names, where that is wanted', async () => {
    await close();
    await open({ rootCache: 'main', hostSuffix: 'example' });
    for (const name of ['main', 'cache', 'other'])
      await administration.create(name, { isPublic: true, priority: name.length });
    const priority = async (target: string): Promise<string | undefined> =>
      /Priority: (.*)/.exec(await textOf(await ask(target)))?.[1];
    // Requests here have the host cache.example.
    expect(await priority('/nix-cache-info')).toBe('5');
    await close();
    await open({ rootCache: 'main' });
    expect(await priority('/nix-cache-info')).toBe('4');
    expect(await priority('/other/nix-cache-info')).toBe('5');
    expect((await ask('/nar/x')).status).toBe(404);
  });
});

describe('paths', () => {
  test('are removed unless others need them, by those who may', async () => {
    await administration.create('main', { isPublic: true });
    const lib = await push('main', 'lib');
    const app = await push('main', 'app', ['lib']);
    const remove = (it: Pushed, given: string | undefined): Promise<CacheResponse> =>
      ask(narInfoOf('main', it.pathInfo), { method: 'DELETE', token: given });
    expect((await remove(app, undefined)).status).toBe(401);
    expect((await remove(app, await token({ push: ['main'], pull: ['main'] }))).status).toBe(403);
    expect((await remove(lib, everything)).status).toBe(409);
    expect((await remove(app, everything)).status).toBe(204);
    expect((await remove(app, everything)).status).toBe(404);
    expect((await ask(narInfoOf('main', app.pathInfo))).status).toBe(404);
    expect((await ask(`/main/${infusedNarUrl(app.pathInfo.node, app.pathInfo.narSize)}`)).status).toBe(404);
    expect((await remove(lib, everything)).status).toBe(204);
  });

  test('are asked for many at a time', async () => {
    await administration.create('main', {});
    const { pathInfo } = await push('main', 'here');
    const { baseName } = pathInfo.storePath;
    const absent = baseName.replace(/^.{4}/, '0000');
    const post = (body: unknown): Promise<CacheResponse> =>
      ask('/main/_api/v1/get-missing-paths', { method: 'POST', token: everything, body: json(body) });
    expect(await textOf(await post({ paths: [absent, baseName, `/nix/store/${baseName}`] }))).toBe(
      `{"missing":["${absent}"]}\n`,
    );
    for (const bad of [{}, { paths: [1] }, { paths: ['nonsense'] }, []])
      expect((await post(bad)).status).toBe(400);
  });

  test('are pinned', async () => {
    await administration.create('main', {});
    const { pathInfo } = await push('main', 'here');
    const put = (name: string, pinned: string): Promise<CacheResponse> =>
      ask(`/main/_api/v1/pins/${name}`, { method: 'PUT', token: everything, body: json({ path: pinned }) });
    const { baseName } = pathInfo.storePath;
    expect((await put('release%2F1', baseName)).status).toBe(200);
    expect((await put('bad', baseName.replace(/^.{4}/, '0000'))).status).toBe(404);
    const list = async (): Promise<string> => textOf(await ask('/main/_api/v1/pins', { token: everything }));
    expect(await list()).toBe(`{"pins":[{"name":"release/1","path":"${baseName}"}]}\n`);
    const remove = { method: 'DELETE', token: everything };
    expect((await ask('/main/_api/v1/pins/release%2F1', remove)).status).toBe(204);
    expect((await ask('/main/_api/v1/pins/release%2F1', remove)).status).toBe(404);
    expect(await list()).toBe('{"pins":[]}\n');
  });
});

describe('administration over HTTP', () => {
  const send = (
    target: string,
    method: string,
    body?: unknown,
    given: string = everything,
  ): Promise<CacheResponse> =>
    ask(`/_api/v1${target}`, { method, token: given, body: body === undefined ? undefined : json(body) });

  test('makes, changes, shows and removes caches', async () => {
    expect((await send('/caches/new', 'PUT', { maxBytes: 5 })).status).toBe(201);
    expect((await send('/caches/new', 'PUT', {})).status).toBe(409);
    expect((await send('/caches/new', 'PATCH', { isPublic: true, maxBytes: null })).status).toBe(200);
    const shownText = await textOf(await send('/caches/new', 'GET'));
    const description = JSON.parse(shownText) as Record<string, unknown>;
    expect(description).toMatchObject({
      name: 'new',
      isPublic: true,
      signingKeyNames: ['new-1'],
      usage: { paths: 0, narBytes: 0, pins: 0 },
    });
    expect(description).not.toHaveProperty('maxBytes');
    const record = await folder.registry.get('new');
    const [secret = 'none'] = record?.signingKeys ?? [];
    expect(shownText).not.toContain(secret.slice(secret.indexOf(':') + 1));
    expect((await send('/caches/new', 'DELETE')).status).toBe(204);
    expect((await send('/caches/new', 'GET')).status).toBe(404);
  });

  test.each([
    [{ nonsense: 1 }, "there is no setting 'nonsense'"],
    [{ isPublic: 'yes' }, "'isPublic' is true or false"],
    [{ maxBytes: -1 }, "'maxBytes' is a whole number"],
    [{ signingKeys: ['a:b'] }, "'signingKeys'"],
    [{ upstreams: [{ url: 'file:///etc' }] }, 'http or https'],
    [{ upstreams: [{ url: 'http://x', extra: 1 }] }, "knows no 'extra'"],
    ['text', 'a JSON object'],
  ])('refuses %j', async (settings, problem) => {
    const response = await send('/caches/new', 'PUT', settings);
    expect([response.status, await textOf(response)]).toEqual([400, expect.stringContaining(problem)]);
    expect(await folder.registry.list()).toEqual([]);
  });

  test('needs the scope for the cache, and for all what concerns all', async () => {
    await administration.create('team-a', {});
    await administration.create('team-b', {});
    const one = await token({ configure: ['team-a'], pull: ['team-b'] });
    expect(await textOf(await send('/caches', 'GET', undefined, one))).toMatch(
      /^\{"caches":\[\{[^{]*"name":"team-a"[^{]*\}\]\}\n$/,
    );
    expect((await send('/caches/team-a', 'PATCH', { priority: 1 }, one)).status).toBe(200);
    expect((await send('/caches/team-b', 'PATCH', { priority: 1 }, one)).status).toBe(403);
    expect((await send('/caches/team-a/gc', 'POST', {}, one)).status).toBe(200);
    expect((await send('/gc', 'POST', {}, one)).status).toBe(403);
    expect((await send('/revoked-tokens', 'POST', { id: 'x' }, one)).status).toBe(403);
  });

  test('revokes tokens', async () => {
    const claims = newTokenClaims({ subject: 'x', scopes: { configure: ['*'] }, nowMs: Date.now() });
    const given = await folder.tokenKey.sign(claims);
    expect((await send('/caches', 'GET', undefined, given)).status).toBe(200);
    expect((await send('/revoked-tokens', 'POST', { id: claims.id })).status).toBe(204);
    const response = await send('/caches', 'GET', undefined, given);
    expect([response.status, await textOf(response)]).toEqual([401, expect.stringContaining('was revoked')]);
  });
});

describe('collection', () => {
  /** Until the leases of requests have ended: they linger for two seconds. */
  async function restart(): Promise<void> {
    await close();
    await open();
  }

  const castoreSize = async (): Promise<number> => {
    let count = 0;
    for await (const _ of folder.castore.blobs.inventory?.list() ?? []) count++;
    for await (const _ of folder.castore.directories.inventory?.list() ?? []) count++;
    return count;
  };

  test('removes what is old with its contents, and keeps closures of pins', async () => {
    await administration.create('main', { isPublic: true });
    const [, app, gone] = [
      await push('main', 'lib'),
      await push('main', 'app', ['lib']),
      await push('main', 'gone'),
    ];
    const pin = { method: 'PUT', token: everything, body: json({ path: app.pathInfo.storePath.baseName }) };
    await ask('/main/_api/v1/pins/app', pin);
    await administration.configure('main', { maxAgeMs: 0 });
    await restart();
    // In memory from now on.
    expect((await ask(narInfoOf('main', gone.pathInfo))).status).toBe(200);
    const before = await castoreSize();
    const planned = await administration.collect({ dryRun: true, graceMs: 0 });
    expect(planned.caches).toMatchObject([
      { removedPaths: [gone.pathInfo.storePath.baseName], keptPaths: 2 },
    ]);
    expect(await castoreSize()).toBe(before);
    const { caches, freedBytes } = await administration.collect({ graceMs: 0 });
    expect(caches).toEqual(planned.caches);
    expect(freedBytes).toBeGreaterThan(0);
    expect((await ask(narInfoOf('main', gone.pathInfo))).status).toBe(404);
    expect(await bodyOf(await ask(`/main/${app.narFile}`))).toEqual(app.nar);
    expect(await castoreSize()).toBeLessThan(before);
  });

  test('leaves what another cache has, and what waits for its narinfo', async () => {
    await administration.create('a', { isPublic: true, maxBytes: 0 });
    await administration.create('b', { isPublic: true });
    await push('a', 'same');
    const same = await push('b', 'same');
    const store = memoryStore();
    const waiting = await putSamplePath({ seed: 'waiting' }, store, nodeHashes);
    const nar = await bodyOf({ status: 200, headers: {}, body: renderNar(waiting.node, store) });
    const narFile = `nar/${waiting.narHash.format('nix32')}.nar`;
    await ask(`/b/${narFile}`, { method: 'PUT', token: everything, body: nar });
    await restart();
    await administration.collect({ graceMs: 0 });
    expect((await ask(narInfoOf('a', same.pathInfo))).status).toBe(404);
    expect(await bodyOf(await ask(`/b/${same.narFile}`))).toEqual(same.nar);
    const text = printNarInfo(
      { ...waiting, url: narFile, compression: 'none', fileHash: waiting.narHash, fileSize: nar.length },
      storeDirectory,
    );
    expect(
      (await ask(narInfoOf('b', waiting), { method: 'PUT', token: everything, body: encodeUtf8(text) }))
        .status,
    ).toBe(201);
    expect(await bodyOf(await ask(`/b/${narFile}`))).toEqual(nar);
  });

  test('leaves what was used a while ago, unless told otherwise', async () => {
    await administration.create('main', { isPublic: true, maxBytes: 0 });
    await push('main', 'x');
    await restart();
    expect((await administration.collect({ graceMs: undefined })).caches).toMatchObject([{ keptPaths: 1 }]);
  });

  test('leaves what a request uses at the moment', async () => {
    await administration.create('main', { isPublic: true, maxBytes: 0 });
    const { pathInfo, nar } = await push('main', 'x');
    await restart();
    const response = await ask(`/main/${infusedNarUrl(pathInfo.node, pathInfo.narSize)}`);
    expect((await administration.collect({ graceMs: 0 })).caches).toMatchObject([
      { removedPaths: [], keptPaths: 1 },
    ]);
    expect(await bodyOf(response)).toEqual(nar);
    await restart();
    expect((await administration.collect({ graceMs: 0 })).caches).toMatchObject([{ keptPaths: 0 }]);
  });
});
