// Names and contents of a cache's files beside narinfos and NARs are those of Nix (`binary-cache-store.cc` writes and reads
// them); the build trace and its fingerprint are from the tests of NixOS/nix (`libstore-tests/data/realisation`).
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type Node, Directory, PathComponent, SymlinkTarget, pathComponent } from '@neve/castore';
import { compress, decompress } from '@neve/castore/node';
import {
  StorePath,
  generateSecretKey,
  parseSignature,
  printSignature,
  publicKeyOf,
  signFingerprint,
  verifyFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type PathInfo, type StoreServices, narCalculationByRendering } from '@neve/store';
import { memoryStore } from '@neve/store/testing';
import { type BinaryCacheOptions, type UploadOptions, binaryCache } from './binary-cache.ts';
import { memoryCacheDocuments } from './cache-documents.ts';
import type { RequestHandler } from './http-exchange.ts';
import type { CacheLogs } from './log-route.ts';
import { ask } from './testing/cache-client.ts';
import { memoryUploadedNars } from './uploaded-nars.ts';

const path = new StorePath('0123456789abcdfghijklmnpqrsvwxyz', 'snow-1.0');
const other = new StorePath('z123456789abcdfghijklmnpqrsvwxyz', 'ice');
const derivation = new StorePath('g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q', 'bar.drv');

let store: StoreServices;
beforeEach(() => {
  store = memoryStore();
});

type Options = Partial<Omit<BinaryCacheOptions, 'uploads'>> & {
  readonly uploads?: Partial<UploadOptions> | false;
};

function cache({ uploads, ...options }: Options = {}): RequestHandler {
  return binaryCache({
    store,
    hashes: nodeHashes,
    ed25519: nodeEd25519,
    ...options,
    ...(uploads !== false && {
      uploads: { uploaded: memoryUploadedNars(), decompress, compress, ...uploads },
    }),
  });
}

const put = (handler: RequestHandler, target: string, body: Uint8Array | string, headers = {}) =>
  ask(handler, target, { method: 'PUT', body, headers });

type Tree = { readonly [name: string]: Tree | string | SymlinkTarget };

async function putTree(tree: Tree | string | SymlinkTarget): Promise<Node> {
  if (tree instanceof SymlinkTarget) return { kind: 'symlink', target: tree };
  if (typeof tree === 'string') {
    const bytes = encodeUtf8(tree);
    return { kind: 'file', digest: await store.blobs.put(bytes), size: bytes.length, executable: false };
  }
  const entries = [];
  for (const [name, child] of Object.entries(tree)) {
    const bytes = Uint8Array.from(name, (it) => it.charCodeAt(0));
    entries.push({ name: new PathComponent(bytes), node: await putTree(child) });
  }
  const directory = Directory.of(entries);
  await store.directories.put(directory);
  return directory.node;
}

async function putPath(
  tree: Tree | string | SymlinkTarget,
  storePath = path,
  deriver?: StorePath,
): Promise<PathInfo> {
  const node = await putTree(tree);
  const nar = await narCalculationByRendering({ ...store, hashes: nodeHashes }).calculateNar(node);
  return store.pathInfos.put({
    storePath,
    node,
    ...nar,
    references: [],
    signatures: [],
    deriver,
    contentAddress: undefined,
  });
}

const link = (target: string): SymlinkTarget => new SymlinkTarget(encodeUtf8(target));

describe('listing', () => {
  test('of a path, with an encoding that the client takes', async () => {
    const names = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`file-${i}`, 'x']));
    await putPath(names);
    const encoders = { gzip: async (bytes: Uint8Array) => gzipSync(bytes) };
    const handler = cache({ encoders });
    const plain = await ask(handler, `/${path.hashPart}.ls`);
    expect(plain).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', vary: 'accept-encoding' },
    });
    expect(Object.keys(JSON.parse(plain.text).root.entries)).toHaveLength(100);
    const headers = { 'accept-encoding': 'gzip, br' };
    const encoded = await ask(handler, `/${path.hashPart}.ls`, { headers });
    expect(encoded.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(encoded.bytes).toString()).toBe(plain.text);
    expect(encoded.headers['etag']).not.toBe(plain.headers['etag']);
    const condition = { ...headers, 'if-none-match': encoded.headers['etag'] };
    expect((await ask(handler, `/${path.hashPart}.ls`, { headers: condition })).status).toBe(304);
  });

  test('none', async () => {
    expect((await ask(cache(), `/${path.hashPart}.ls`)).status).toBe(404);
  });
});

describe('log', () => {
  function memoryLogs(): CacheLogs & { readonly texts: Map<string, string> } {
    const texts = new Map<string, string>();
    return {
      texts,
      async read({ baseName }) {
        const text = texts.get(baseName);
        if (text === undefined) return undefined;
        return (async function* () {
          yield encodeUtf8(text);
        })();
      },
      async write({ baseName }, log) {
        const pieces: Uint8Array[] = [];
        for await (const piece of log) pieces.push(piece.slice());
        texts.set(baseName, decodeUtf8(concatBytes(pieces)));
      },
    };
  }

  test('is put, compressed or not, and read by its derivation and by what it made', async () => {
    const handler = cache({ logs: memoryLogs() });
    await putPath('x', path, derivation);
    expect((await ask(handler, `/log/${derivation.baseName}`)).status).toBe(404);
    expect((await put(handler, `/log/${derivation.baseName}`, 'building\n')).status).toBe(201);
    expect(await ask(handler, `/log/${derivation.baseName}`)).toMatchObject({
      status: 200,
      text: 'building\n',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    const zipped = gzipSync('again\n');
    await put(handler, `/log/${derivation.baseName}`, zipped, { 'content-encoding': 'gzip' });
    expect((await ask(handler, `/log/${path.baseName}`)).text).toBe('again\n');
  });

  test('is refused for what is no derivation, or is damaged', async () => {
    const logs = memoryLogs();
    const handler = cache({ logs });
    expect((await put(handler, `/log/${path.baseName}`, 'x')).status).toBe(400);
    expect((await put(handler, '/log/x', 'x')).status).toBe(400);
    const encoding = { 'content-encoding': 'gzip' };
    expect((await put(handler, `/log/${derivation.baseName}`, 'x', encoding)).status).toBe(400);
    expect(logs.texts.size).toBe(0);
  });
});

describe('debug information', () => {
  const buildId = `ab${'c'.repeat(38)}`;
  const tree = {
    lib: { debug: { '.build-id': { ab: { [`${'c'.repeat(38)}.debug`]: 'x', short: 'x' }, xx: {} } } },
  };

  test('is found in what has a narinfo', async () => {
    const handler = cache();
    await putPath(tree);
    expect((await ask(handler, `/debuginfo/${buildId}`)).status).toBe(404);
    const narInfo = (await ask(handler, `/${path.hashPart}.narinfo`)).text;
    const url = /^URL: (.*)$/m.exec(narInfo)?.[1];
    for (const name of [buildId, `${buildId}.debug`]) {
      expect(JSON.parse((await ask(handler, `/debuginfo/${name}`)).text)).toEqual({
        archive: `../${url}`,
        member: `lib/debug/.build-id/ab/${'c'.repeat(38)}.debug`,
      });
    }
  });

  test('goes with its path', async () => {
    const documents = memoryCacheDocuments();
    await putPath(tree);
    await ask(cache({ documents }), `/${path.hashPart}.narinfo`);
    expect((await ask(cache({ documents }), `/debuginfo/${buildId}`)).status).toBe(200);
    store = memoryStore();
    expect((await ask(cache({ documents }), `/debuginfo/${buildId}`)).status).toBe(404);
    await putPath({ lib: 'x' });
    expect((await ask(cache({ documents }), `/debuginfo/${buildId}`)).status).toBe(404);
  });
});

describe('build traces', () => {
  const name = `/build-trace-v2/${derivation.baseName}/foo.doi`;
  const trace = { outPath: 'g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo', signatures: [] };
  const fingerprint =
    '{"key":{"drvPath":"g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar.drv","outputName":"foo"},' +
    '"value":{"outPath":"g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo"}}';
  const output = new StorePath('g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q', 'foo');
  const key = generateSecretKey('trace-1', nodeEd25519);
  const oldId = `sha256:${'ab'.repeat(32)}!out`;
  const oldTrace = {
    dependentRealisations: {},
    id: oldId,
    outPath: output.baseName,
    signatures: [] as string[],
  };

  test('comes back as it was put, when its path is here', async () => {
    const handler = cache();
    expect((await put(handler, name, JSON.stringify(trace))).status).toBe(409);
    await putPath('x', output);
    expect((await put(handler, name, JSON.stringify(trace))).status).toBe(201);
    expect(await ask(handler, name)).toMatchObject({
      status: 200,
      text: JSON.stringify(trace),
      headers: { 'content-type': 'application/json' },
    });
  });

  test('is gone with its path', async () => {
    const documents = memoryCacheDocuments();
    await putPath('x', output);
    await put(cache({ documents }), name, JSON.stringify(trace));
    store = memoryStore();
    expect((await ask(cache({ documents }), name)).status).toBe(404);
  });

  test('is signed by the keys of the cache', async () => {
    const handler = cache({ signingKeys: [key] });
    await putPath('x', output);
    await put(handler, name, JSON.stringify(trace));
    const { signatures } = JSON.parse((await ask(handler, name)).text);
    const signature = parseSignature(signatures[0]);
    expect(verifyFingerprint(fingerprint, { signature, keys: [publicKeyOf(key)] }, nodeEd25519)).toBe(true);
  });

  test('must be signed where that is wanted', async () => {
    const handler = cache({ uploads: { trustedKeys: [publicKeyOf(key)], requireSignatures: true } });
    await putPath('x', output);
    expect((await put(handler, name, JSON.stringify(trace))).status).toBe(403);
    const signature = signFingerprint(fingerprint, key, nodeEd25519);
    const asText = { ...trace, signatures: [printSignature(signature)] };
    expect((await put(handler, name, JSON.stringify(asText))).status).toBe(201);
    const [keyName, sig] = printSignature(signature).split(':');
    const asObject = { ...trace, signatures: [{ keyName, sig }] };
    expect((await put(handler, name, JSON.stringify(asObject))).status).toBe(201);
    const moved = `/build-trace-v2/${derivation.baseName}/bar.doi`;
    expect((await put(handler, moved, JSON.stringify(asText))).status).toBe(403);
  });

  test('of older versions of Nix', async () => {
    const handler = cache({ uploads: { trustedKeys: [publicKeyOf(key)], requireSignatures: true } });
    await putPath('x', output);
    const unsigned = `{"dependentRealisations":{},"id":"${oldId}","outPath":"${output.baseName}"}`;
    const signed = { ...oldTrace, signatures: [printSignature(signFingerprint(unsigned, key, nodeEd25519))] };
    expect((await put(handler, `/realisations/${oldId}.doi`, JSON.stringify(oldTrace))).status).toBe(403);
    expect((await put(handler, `/realisations/${oldId}.doi`, JSON.stringify(signed))).status).toBe(201);
    expect(JSON.parse((await ask(handler, `/realisations/${oldId}.doi`)).text)).toEqual(signed);
    const wrong = `/realisations/${oldId.replace('ab', 'cd')}.doi`;
    expect((await put(handler, wrong, JSON.stringify(signed))).status).toBe(400);
  });

  test('of builds of this machine', async () => {
    await putPath('x', output);
    const knownTraces = {
      find: async (id: string) => (id === oldId ? { outPath: output, signatures: [] } : undefined),
    };
    const handler = cache({ knownTraces });
    expect(JSON.parse((await ask(handler, `/realisations/${oldId}.doi`)).text)).toEqual(oldTrace);
    expect((await ask(handler, `/realisations/${oldId}x.doi`)).status).toBe(404);
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no path', '{}'],
    ['a path that is none', '{"outPath":"x"}'],
    ['a signature that is none', '{"outPath":"g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo","signatures":["x"]}'],
  ])('refuses %s', async (_, body) => {
    expect((await put(cache(), name, body)).status).toBe(400);
  });

  test.each([
    '/build-trace-v2/x.drv/out.doi',
    `/build-trace-v2/${path.baseName}/out.doi`,
    '/realisations/x!out.doi',
  ])('no such name: %s', async (target) => {
    expect((await ask(cache(), target)).status).toBe(404);
    expect((await put(cache(), target, '{}')).status).toBe(405);
  });
});

describe('browsing', () => {
  const base = `/serve/${path.hashPart}`;
  const tree: Tree = {
    bin: { 'run it': 'echo', 'a:b': 'colon' },
    'page.html': '<p>snow</p>',
    data: 'a\0b',
    'é<&"': 'x',
    '\xff\xfe': 'bytes',
    'to-file': link('bin/run it'),
    'to-directory': link('./bin/'),
    up: link('../up'),
    absolute: link(`/nix/store/${other.baseName}/x`),
    out: link('/etc/passwd'),
    above: link('../../x'),
  };

  test('a directory is a page, in which names are escaped', async () => {
    await putPath(tree);
    const { status, text, headers } = await ask(cache(), `${base}/`);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain('sandbox');
    expect(text).toContain('<a href="./bin/">bin/</a>');
    expect(text).toContain('&#60;&#38;&#34;');
    expect(text).not.toContain('<&');
    expect(text).toContain('href="./%FF%FE"');
    expect((await ask(cache(), `${base}/bin/`)).text).toContain('<a href="../">..</a>');
    expect((await ask(cache(), `${base}/bin/`)).text).toContain('<a href="./run%20it">run it</a>');
  });

  test.each([
    ['/page.html', 'text/html; charset=utf-8', '<p>snow</p>'],
    ['/bin/run%20it', 'text/plain; charset=utf-8', 'echo'],
    ['/data', 'application/octet-stream', 'a\0b'],
    ['/%FF%FE', 'text/plain; charset=utf-8', 'bytes'],
  ])('the file %s', async (target, type, text) => {
    await putPath(tree);
    const answer = await ask(cache(), `${base}${target}`);
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers['content-type']).toBe(type);
    const part = await ask(cache(), `${base}${target}`, { headers: { range: 'bytes=1-2' } });
    expect(part).toMatchObject({ status: 206, text: text.slice(1, 3) });
  });

  test.each([
    ['', `./${path.hashPart}/`],
    ['/bin', './bin/'],
    ['/to-file', `./${path.hashPart}/bin/run%20it`.replace('./', '../')],
    ['/to-directory/a:b', `../../${path.hashPart}/bin/a%3Ab`],
    ['/absolute/y', `../../${other.baseName}/x/y`],
  ])('%s leads to %s', async (target, location) => {
    await putPath(tree);
    const answer = await ask(cache(), `${base}${target}`);
    expect(answer).toMatchObject({ status: 307, headers: { location } });
    // As a browser understands it.
    expect(new URL(location, `http://host${base}${target}`).pathname).toMatch(/^\/serve\//);
  });

  test.each([
    '/none',
    '/bin/none',
    '/page.html/',
    '/page.html/x',
    '/out',
    '/above',
    '/up',
    `/${'x'.repeat(300)}`,
  ])('nothing at %s', async (target) => {
    await putPath(tree);
    expect((await ask(cache(), `${base}${target}`)).status).toBe(404);
  });

  test('a path that is a file or a link, and one by its base name', async () => {
    await putPath('text');
    expect((await ask(cache(), base)).text).toBe('text');
    expect((await ask(cache(), `/serve/${path.baseName}`)).text).toBe('text');
    expect((await ask(cache(), `/serve/${path.hashPart}-other`)).status).toBe(404);
    await putPath(link(path.baseName), other);
    expect((await ask(cache(), `/serve/${other.hashPart}`)).headers['location']).toBe(`./${path.baseName}`);
  });

  test('names are one name each', () => {
    expect(() => pathComponent('a/b')).toThrow();
  });
});
