// What a NAR and a narinfo must be is taken from the renderer and the parser of other packages, whose tests compare them with
// Nix; status codes and headers from RFC 9110.
import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  StoreDirectory,
  fingerprintPathInfo,
  generateSecretKey,
  parseNarInfo,
  publicKeyOf,
  verifyFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { memoryNarTable, nodeOfInfusedUrl, renderNar, signPathInfo } from '@neve/store';
import type { PathInfo, StoreServices } from '@neve/store';
import { memoryStore, putSamplePath } from '@neve/store/testing';
import { type BinaryCacheOptions, binaryCache } from './binary-cache.ts';
import type { CacheResponse, RequestHandler } from './http-exchange.ts';
import { NarInfoIndex } from './narinfo-index.ts';
import { bytesOf, requestOf } from './testing/cache-client.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);

type Sample = { readonly store: StoreServices; readonly pathInfo: PathInfo; readonly nar: Uint8Array };

async function sample(): Promise<Sample> {
  const store = memoryStore();
  await putSamplePath({ seed: 'b' }, store, nodeHashes);
  const pathInfo = await putSamplePath({ seed: 'a', references: ['b'] }, store, nodeHashes);
  return {
    store,
    pathInfo,
    nar: await bytesOf({ status: 200, headers: {}, body: renderNar(pathInfo.node, store) }),
  };
}

function cache(store: StoreServices, options: Partial<BinaryCacheOptions> = {}): RequestHandler {
  return binaryCache({ store, hashes: nodeHashes, ed25519: nodeEd25519, ...options });
}

const narInfoPath = ({ storePath }: PathInfo): string => `/${storePath.hashPart}.narinfo`;

test('nix-cache-info', async () => {
  const response = await cache(memoryStore(), { priority: 41 })(requestOf('/nix-cache-info'));
  expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'text/x-nix-cache-info' } });
  expect(decodeUtf8(await bytesOf(response))).toBe('StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 41\n');
});

describe('narinfo', () => {
  test('names the node, and has the signatures that it came with', async () => {
    const { store, pathInfo } = await sample();
    const key = generateSecretKey('origin-1', nodeEd25519);
    const signed = await store.pathInfos.put(
      signPathInfo(pathInfo, { keys: [key], store: storeDirectory, ed25519: nodeEd25519 }),
    );
    const response = await cache(store)(requestOf(narInfoPath(pathInfo)));
    expect(response.headers['content-type']).toBe('text/x-nix-narinfo');
    const narInfo = parseNarInfo(decodeUtf8(await bytesOf(response)), storeDirectory);
    expect(narInfo).toMatchObject({
      compression: 'none',
      narSize: pathInfo.narSize,
      fileSize: pathInfo.narSize,
      references: pathInfo.references,
      signatures: signed.signatures,
    });
    expect(narInfo.fileHash).toEqual(pathInfo.narHash);
    expect(nodeOfInfusedUrl(narInfo.url, narInfo.narSize)).toEqual(pathInfo.node);
  });

  test('is signed by the keys of the cache', async () => {
    const { store, pathInfo } = await sample();
    const keys = [generateSecretKey('mine-1', nodeEd25519), generateSecretKey('mine-2', nodeEd25519)];
    const response = await cache(store, { signingKeys: keys })(requestOf(narInfoPath(pathInfo)));
    const narInfo = parseNarInfo(decodeUtf8(await bytesOf(response)), storeDirectory);
    const fingerprint = fingerprintPathInfo(storeDirectory, narInfo);
    for (const key of keys) {
      const signature = narInfo.signatures.find(({ keyName }) => keyName === key.name);
      expect(signature).toBeDefined();
      if (signature === undefined) continue;
      expect(verifyFingerprint(fingerprint, { signature, keys: [publicKeyOf(key)] }, nodeEd25519)).toBe(true);
    }
  });

  test('is not sent again to whoever has it', async () => {
    const { store, pathInfo } = await sample();
    const handler = cache(store);
    const { etag = '' } = (await handler(requestOf(narInfoPath(pathInfo)))).headers;
    const again = await handler(
      requestOf(narInfoPath(pathInfo), { headers: { 'if-none-match': `"x", W/${etag}` } }),
    );
    expect(again).toMatchObject({ status: 304, headers: { etag } });
    expect(again.body).toBeUndefined();
  });

  test('is seen anew when it is forgotten, or too old', async () => {
    const { store, pathInfo } = await sample();
    let nowMs = 0;
    const narInfos = new NarInfoIndex({ maxAgeMs: 10, now: () => nowMs });
    const handler = cache(store, { narInfos });
    const target = requestOf(narInfoPath(pathInfo));
    await handler(target);
    const gone = cache({ ...store, pathInfos: memoryStore().pathInfos }, { narInfos });
    expect((await gone(target)).status).toBe(200);
    nowMs = 10;
    expect((await gone(target)).status).toBe(404);
    await handler(target);
    narInfos.forget(pathInfo.storePath.hashPart);
    expect((await gone(target)).status).toBe(404);
  });

  test('is not kept when it was forgotten while it was read', async () => {
    const { store, pathInfo } = await sample();
    const narInfos = new NarInfoIndex();
    const { hashPart } = pathInfo.storePath;
    const pathInfos = {
      ...store.pathInfos,
      get: async () => {
        narInfos.forget(hashPart);
        return pathInfo;
      },
    };
    const handler = cache({ ...store, pathInfos }, { narInfos });
    expect((await handler(requestOf(narInfoPath(pathInfo)))).status).toBe(200);
    expect(narInfos.get(hashPart)).toBeUndefined();
  });

  test('names the compressed file where there is one', async () => {
    const { store, pathInfo } = await sample();
    const fileHash = nodeHashes.hash('sha256', new Uint8Array(3));
    const file = { file: '/cache/file', fileHash, fileSize: 3, compression: 'zstd' } as const;
    const name = `nar/${fileHash.format('nix32')}.nar.zst`;
    const handler = cache(store, {
      compressedNars: { find: async () => file, open: async () => file, request: () => undefined },
    });
    const text = decodeUtf8(await bytesOf(await handler(requestOf(narInfoPath(pathInfo)))));
    expect(parseNarInfo(text, storeDirectory)).toMatchObject({ url: name, compression: 'zstd', fileSize: 3 });
    const whole = await handler(requestOf(`/${name}`));
    expect(whole).toMatchObject({ status: 200, body: { file: '/cache/file', start: 0, end: 3 } });
    const part = await handler(requestOf(`/${name}`, { headers: { range: 'bytes=1-' } }));
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': 'bytes 1-2/3', 'content-length': '2' },
      body: { start: 1, end: 3 },
    });
    expect((await handler(requestOf(`/${name.replace('.zst', '.xz')}`))).status).toBe(404);
  });

  test.each(['/0123456789abcdfghijklmnpqrsvwxyz.narinfo', '/short.narinfo', '/x', '/'])(
    '404: %s',
    async (path) => {
      expect((await cache(memoryStore())(requestOf(path))).status).toBe(404);
    },
  );
});

describe('NAR', () => {
  const narUrl = async (handler: RequestHandler, pathInfo: PathInfo): Promise<string> => {
    const text = decodeUtf8(await bytesOf(await handler(requestOf(narInfoPath(pathInfo)))));
    return `/${parseNarInfo(text, storeDirectory).url}`;
  };

  test('whole, by node and by hash', async () => {
    const { store, pathInfo, nar } = await sample();
    const handler = cache(store);
    const byNode = await handler(requestOf(await narUrl(handler, pathInfo)));
    expect(byNode).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/x-nix-nar',
        'content-length': String(nar.length),
        'cache-control': 'public, max-age=31536000, immutable',
      },
    });
    expect(await bytesOf(byNode)).toEqual(nar);
    const byHash = await handler(requestOf(`/nar/${pathInfo.narHash.format('nix32')}.nar`));
    expect(await bytesOf(byHash)).toEqual(nar);
  });

  test('by hash after a restart', async () => {
    const { store, pathInfo, nar } = await sample();
    const nars = memoryNarTable();
    await narUrl(cache(store, { nars }), pathInfo);
    const url = `/nar/${pathInfo.narHash.format('nix32')}.nar`;
    expect(await bytesOf(await cache(store, { nars })(requestOf(url)))).toEqual(nar);
    expect((await cache(store)(requestOf(url))).status).toBe(404);
  });

  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-200', 10, 201],
    ['bytes=100-', 100, undefined],
    ['bytes=-7', -7, undefined],
    ['bytes=5-99999999', 5, undefined],
  ])('range %s', async (range, start, end) => {
    const { store, pathInfo, nar } = await sample();
    const handler = cache(store);
    const response = await handler(requestOf(await narUrl(handler, pathInfo), { headers: { range } }));
    const expected = nar.slice(start, end);
    expect(response.status).toBe(206);
    expect(response.headers['content-length']).toBe(String(expected.length));
    expect(await bytesOf(response)).toEqual(expected);
  });

  test.each([
    ['bytes=99999999-', 416],
    ['bytes=-0', 416],
    ['bytes=3-2', 200],
    ['bytes=0-1,3-4', 200],
    ['lines=0-1', 200],
  ])('range %s: %i', async (range, status) => {
    const { store, pathInfo } = await sample();
    const handler = cache(store);
    const response = await handler(requestOf(await narUrl(handler, pathInfo), { headers: { range } }));
    expect(response.status).toBe(status);
  });

  test('a range of another version is all of it', async () => {
    const { store, pathInfo } = await sample();
    const handler = cache(store);
    const url = await narUrl(handler, pathInfo);
    const { etag = '' } = (await handler(requestOf(url))).headers;
    const ranged = (condition: string): Promise<CacheResponse> =>
      handler(requestOf(url, { headers: { range: 'bytes=1-2', 'if-range': condition } }));
    expect((await ranged(etag)).status).toBe(206);
    expect((await ranged('"other"')).status).toBe(200);
    expect((await ranged(`W/${etag}`)).status).toBe(200);
    expect((await handler(requestOf(url, { headers: { 'if-none-match': etag } }))).status).toBe(304);
  });

  test('of a size that it has not', async () => {
    const { store, pathInfo } = await sample();
    const handler = cache(store);
    const url = await narUrl(handler, pathInfo);
    expect((await handler(requestOf(url.replace(/\d+$/, '1')))).status).toBe(400);
    expect((await handler(requestOf(url.replace(/\?.*/, '')))).status).toBe(400);
  });

  test('of a node that is not here', async () => {
    const { store, pathInfo } = await sample();
    const url = await narUrl(cache(store), pathInfo);
    expect((await cache(memoryStore())(requestOf(url))).status).toBe(404);
  });

  test('of a path of another cache, when castore is shared', async () => {
    const { store, pathInfo } = await sample();
    const other = cache({ ...store, pathInfos: memoryStore().pathInfos }, { onlyOwnNars: true });
    const own = cache(store, { onlyOwnNars: true });
    const url = await narUrl(own, pathInfo);
    expect((await own(requestOf(url))).status).toBe(200);
    expect((await other(requestOf(url))).status).toBe(404);
  });
});

test.each([
  ['/../x', 400],
  ['/nar/%2e%2e/x', 400],
  ['/nar%2fx', 400],
  ['/nar/x%00', 400],
  ['/nar/%zz', 400],
  ['/nar//x', 404],
  [`/${'x'.repeat(9000)}`, 414],
])('refuses %s', async (path, status) => {
  expect((await cache(memoryStore())(requestOf(path))).status).toBe(status);
});

test.each(['PUT', 'POST', 'DELETE'])('%s is not allowed', async (method) => {
  const response = await cache(memoryStore())(requestOf('/nix-cache-info', { method }));
  expect(response).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
});
