// What must be refused follows from what a narinfo says and from the rules at the head of `upload-narinfo.ts`. Compressed files
// are made by Node's own libraries and the writers of `@neve/castore`, which its tests compare with the programs of these names.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type Digest, concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type CompressionFormat, decodeEntry } from '@neve/castore';
import { compress, decompress } from '@neve/castore/node';
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
  parseNarInfo,
  printNarInfo,
  publicKeyOf,
  signFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type StoreServices, ingestNar, infusedNarUrl } from '@neve/store';
import { memoryStore } from '@neve/store/testing';
import { type BinaryCacheOptions, type UploadOptions, binaryCache } from './binary-cache.ts';
import type { CacheEvent } from './cache-event.ts';
import type { RequestHandler } from './http-exchange.ts';
import { ask } from './testing/cache-client.ts';
import { memoryUploadedNars } from './uploaded-nars.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const key = generateSecretKey('upload-1', nodeEd25519);
const path = new StorePath('0123456789abcdfghijklmnpqrsvwxyz', 'snow-1.0');
const other = new StorePath('z123456789abcdfghijklmnpqrsvwxyz', 'ice');
const sha256 = (bytes: Uint8Array): Digest => nodeHashes.hash('sha256', bytes);

function makeNar(text: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => pieces.push(bytes.slice()));
  const contents = encodeUtf8(text);
  writer.startDirectory();
  writer.entry(encodeUtf8('file'));
  writer.startRegular(contents.length, true);
  writer.contents(contents);
  writer.endRegular();
  writer.endDirectory();
  writer.end();
  return concatBytes(pieces);
}

const nar = makeNar('snow '.repeat(3000));

async function compressed(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  if (compression === 'gzip') return gzipSync(bytes);
  if (compression === 'br') return brotliCompressSync(bytes);
  const pieces: Uint8Array[] = [];
  const source = (async function* () {
    yield bytes;
  })();
  for await (const piece of compress(source, compression as CompressionFormat)) pieces.push(piece.slice());
  return concatBytes(pieces);
}

type File = { readonly bytes: Uint8Array; readonly url: string; readonly narInfo: NarInfo };

/** The file of a NAR, and what is true of it. */
async function fileOf(bytes: Uint8Array, compression: Compression = 'none'): Promise<File> {
  const file = await compressed(bytes, compression);
  const url = `nar/${sha256(file).format('nix32')}.nar${compressionExtensions[compression]}`;
  const narInfo = {
    storePath: path,
    url,
    compression,
    fileHash: sha256(file),
    fileSize: file.length,
    narHash: sha256(bytes),
    narSize: bytes.length,
    references: [path],
    deriver: new StorePath(other.hashPart, 'snow-1.0.drv'),
    signatures: [],
  };
  return { bytes: file, url, narInfo };
}

let store: StoreServices;
let events: CacheEvent[];
beforeEach(() => {
  store = memoryStore();
  events = [];
});

type Options = Partial<Omit<BinaryCacheOptions, 'uploads'>> & { readonly uploads?: Partial<UploadOptions> };

function cache({ uploads, ...options }: Options = {}): RequestHandler {
  return binaryCache({
    store,
    hashes: nodeHashes,
    ed25519: nodeEd25519,
    onEvent: (event) => events.push(event),
    ...options,
    uploads: { uploaded: memoryUploadedNars(), decompress, compress, ...uploads },
  });
}

const put = (handler: RequestHandler, target: string, body: Uint8Array | string, headers = {}) =>
  ask(handler, target, { method: 'PUT', body, headers });

const narInfoUrl = ({ storePath }: NarInfo): string => `/${storePath.hashPart}.narinfo`;

const putNarInfo = (handler: RequestHandler, narInfo: NarInfo) =>
  put(handler, narInfoUrl(narInfo), printNarInfo(narInfo, storeDirectory));

describe.each(['none', 'xz', 'zstd', 'bzip2', 'gzip', 'br', 'compress', 'lzop'] as const)(
  '%s',
  (compression) => {
    test('a NAR and its narinfo', async () => {
      const handler = cache();
      const { bytes, url, narInfo } = await fileOf(nar, compression);
      expect((await ask(handler, `/${url}`, { method: 'HEAD' })).status).toBe(404);
      expect((await put(handler, `/${url}`, bytes)).status).toBe(201);
      expect((await ask(handler, `/${url}`, { method: 'HEAD' })).status).toBe(200);
      expect((await ask(handler, narInfoUrl(narInfo))).status).toBe(404);
      expect((await putNarInfo(handler, narInfo)).status).toBe(201);
      const served = parseNarInfo((await ask(handler, narInfoUrl(narInfo))).text, storeDirectory);
      expect(served).toMatchObject({ narSize: nar.length, references: [path], deriver: narInfo.deriver });
      expect((await ask(handler, `/${served.url}`)).bytes).toEqual(nar);
      expect(events.map(({ kind }) => kind)).toEqual(['nar-uploaded', 'path-added']);
    });

    test('the name of what was put leads to the same NAR', async () => {
      const handler = cache();
      const { bytes, url, narInfo } = await fileOf(nar, compression);
      await put(handler, `/${url}`, bytes);
      await putNarInfo(handler, narInfo);
      const again = await ask(handler, `/${url}`);
      const pieces: Uint8Array[] = [];
      const source = (async function* () {
        yield again.bytes;
      })();
      const format = compression === 'br' ? 'brotli' : compression;
      for await (const piece of decompress(source, format)) pieces.push(piece.slice());
      expect(concatBytes(pieces)).toEqual(nar);
    });

    test('a file that is cut off', async () => {
      const { bytes } = await fileOf(nar, compression);
      const part = bytes.slice(0, -5);
      const url = `/nar/${sha256(part).format('nix32')}.nar${compressionExtensions[compression]}`;
      const handler = cache();
      expect((await put(handler, url, part)).status).toBe(400);
      expect((await ask(handler, url)).status).toBe(404);
    });
  },
);

test('gzip without an extension, as Nix names it', async () => {
  const handler = cache();
  const { bytes, narInfo } = await fileOf(nar, 'gzip');
  const url = narInfo.url.replace('.gz', '');
  expect((await put(handler, `/${url}`, bytes)).status).toBe(201);
  expect((await putNarInfo(handler, { ...narInfo, url })).status).toBe(201);
});

describe('a file that is refused', () => {
  test('has another hash than its name', async () => {
    const { url } = await fileOf(nar);
    const answer = await put(cache(), `/${url}`, makeNar('other'));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('its name says');
    expect(events).toEqual([{ kind: 'upload-refused', path: `/${url}`, status: 400 }]);
  });

  test('is no NAR', async () => {
    const bytes = encodeUtf8('not an archive');
    expect((await put(cache(), `/nar/${sha256(bytes).format('nix32')}.nar`, bytes)).status).toBe(400);
  });

  test('has something after its end', async () => {
    const bytes = concatBytes([nar, new Uint8Array(8)]);
    expect((await put(cache(), `/nar/${sha256(bytes).format('nix32')}.nar`, bytes)).status).toBe(400);
  });

  test('has an extension that no compression has', async () => {
    const answer = await put(cache(), `/nar/${sha256(nar).format('nix32')}.nar.exe`, nar);
    expect(answer.status).toBe(415);
    expect(answer.text).toContain(
      'br, bzip2, compress, grzip, gzip, lrzip, lz4, lzip, lzma, lzop, none, xz, zstd',
    );
  });

  test('needs a program that is not installed', async () => {
    vi.stubEnv('PATH', '/nowhere');
    const url = `/nar/${sha256(nar).format('nix32')}.nar.grz`;
    const answer = await put(cache(), url, nar);
    vi.unstubAllEnvs();
    expect(answer.status).toBe(415);
    expect(answer.text).toContain('needs the program grzip: install it');
  });

  test('is too large, as it says or as it is', async () => {
    const handler = cache({ uploads: { maxFileBytes: 1000 } });
    const { url, bytes } = await fileOf(nar);
    expect((await put(handler, `/${url}`, bytes, { 'content-length': '1001' })).status).toBe(413);
    expect((await put(handler, `/${url}`, bytes)).status).toBe(413);
  });

  test('expands to too much', async () => {
    const { url, bytes } = await fileOf(nar, 'zstd');
    expect(bytes.length).toBeLessThan(1000);
    expect((await put(cache({ uploads: { maxNarBytes: 1000 } }), `/${url}`, bytes)).status).toBe(413);
  });

  test('comes when too many are under way', async () => {
    const handler = cache({ uploads: { maxConcurrent: 1, maxWaiting: 0 } });
    const { url, bytes } = await fileOf(nar);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = (async function* () {
      await held;
      yield bytes;
    })();
    const first = ask(handler, `/${url}`, { method: 'PUT', body: slow });
    const second = await put(handler, `/${url}`, bytes);
    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    release();
    expect((await first).status).toBe(201);
  });
});

describe('a narinfo that is refused', () => {
  const lies: readonly (readonly [string, Partial<NarInfo>])[] = [
    ['NAR hash', { narHash: sha256(encodeUtf8('x')) }],
    ['NAR size', { narSize: 1 }],
    ['file hash', { fileHash: sha256(encodeUtf8('x')) }],
    ['file size', { fileSize: 1 }],
    ['compression', { compression: 'none' }],
  ];
  test.each(lies)('has another %s', async (_, lie) => {
    const handler = cache();
    const { bytes, url, narInfo } = await fileOf(nar, 'zstd');
    await put(handler, `/${url}`, bytes);
    const answer = await putNarInfo(handler, { ...narInfo, ...lie });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('is not true of');
    expect((await ask(handler, narInfoUrl(narInfo))).status).toBe(404);
  });

  test('comes before its NAR, or too late', async () => {
    let nowMs = 0;
    const { bytes, url, narInfo } = await fileOf(nar);
    const uploads = { uploaded: memoryUploadedNars(() => nowMs), waitMs: 10, now: () => nowMs };
    const handler = cache({ uploads });
    expect((await putNarInfo(handler, narInfo)).status).toBe(409);
    await put(handler, `/${url}`, bytes);
    nowMs = Date.now() + 10_000;
    expect((await putNarInfo(handler, narInfo)).status).toBe(409);
  });

  test('names a NAR that was collected since', async () => {
    const uploads = { uploaded: memoryUploadedNars() };
    const { bytes, url, narInfo } = await fileOf(nar);
    await put(cache({ uploads }), `/${url}`, bytes);
    store = memoryStore();
    const handler = cache({ uploads });
    expect((await ask(handler, `/${url}`, { method: 'HEAD' })).status).toBe(404);
    expect((await putNarInfo(handler, narInfo)).status).toBe(409);
  });

  test('refers to what is not here', async () => {
    const handler = cache();
    const { bytes, url, narInfo } = await fileOf(nar);
    await put(handler, `/${url}`, bytes);
    const answer = await putNarInfo(handler, { ...narInfo, references: [path, other] });
    expect(answer).toMatchObject({ status: 409 });
    expect(answer.text).toContain(`'${other.baseName}'`);
  });

  test('is that of another path, or none', async () => {
    const handler = cache();
    const { bytes, url, narInfo } = await fileOf(nar);
    await put(handler, `/${url}`, bytes);
    const text = printNarInfo({ ...narInfo, storePath: other, references: [] }, storeDirectory);
    expect((await put(handler, narInfoUrl(narInfo), text)).status).toBe(400);
    expect((await put(handler, narInfoUrl(narInfo), 'StorePath: /nix/store/x\n')).status).toBe(400);
    expect((await put(handler, narInfoUrl(narInfo), 'x'.repeat(3 << 20))).status).toBe(413);
  });

  test('would change a path', async () => {
    const handler = cache();
    const first = await fileOf(nar);
    const second = await fileOf(makeNar('other'));
    for (const { bytes, url } of [first, second]) await put(handler, `/${url}`, bytes);
    expect((await putNarInfo(handler, first.narInfo)).status).toBe(201);
    expect((await putNarInfo(handler, second.narInfo)).status).toBe(409);
    const served = parseNarInfo((await ask(handler, narInfoUrl(first.narInfo))).text, storeDirectory);
    expect(served.narHash).toEqual(first.narInfo.narHash);
  });
});

describe('signatures', () => {
  const trusted = { trustedKeys: [publicKeyOf(key)], requireSignatures: true };
  const signed = (narInfo: NarInfo, by = key): NarInfo => ({
    ...narInfo,
    signatures: [signFingerprint(fingerprintPathInfo(storeDirectory, narInfo), by, nodeEd25519)],
  });

  test('are asked for', async () => {
    const handler = cache({ uploads: trusted });
    const { bytes, url, narInfo } = await fileOf(nar);
    await put(handler, `/${url}`, bytes);
    expect((await putNarInfo(handler, narInfo)).status).toBe(403);
    const stranger = generateSecretKey('stranger-1', nodeEd25519);
    expect((await putNarInfo(handler, signed(narInfo, stranger))).status).toBe(403);
    const forged = { ...stranger, name: key.name };
    expect((await putNarInfo(handler, signed(narInfo, forged))).status).toBe(403);
    expect((await ask(handler, narInfoUrl(narInfo))).status).toBe(404);
    expect((await putNarInfo(handler, signed(narInfo))).status).toBe(201);
  });

  test('are added to those that are there, and wrong ones are left out', async () => {
    const handler = cache({ uploads: { trustedKeys: [publicKeyOf(key)] } });
    const { bytes, url, narInfo } = await fileOf(nar);
    await put(handler, `/${url}`, bytes);
    const forged = { ...generateSecretKey('x', nodeEd25519), name: key.name };
    await putNarInfo(handler, signed(narInfo, forged));
    expect((await ask(handler, narInfoUrl(narInfo))).text).not.toContain('Sig:');
    const second = generateSecretKey('second-1', nodeEd25519);
    // By the narinfo that is served, as `nix store sign` does.
    const served = parseNarInfo((await ask(handler, narInfoUrl(narInfo))).text, storeDirectory);
    expect((await putNarInfo(handler, signed(served))).status).toBe(201);
    expect((await putNarInfo(handler, signed(served, second))).status).toBe(201);
    const { signatures } = parseNarInfo((await ask(handler, narInfoUrl(narInfo))).text, storeDirectory);
    expect(signatures.map(({ keyName }) => keyName).toSorted()).toEqual(['second-1', 'upload-1']);
  });

  test('are not needed where the path proves its contents', async () => {
    const handler = cache({ uploads: trusted });
    const { bytes, url, narInfo } = await fileOf(nar);
    const contentAddress: ContentAddress = { method: 'nar', digest: narInfo.narHash };
    const storePath = contentAddressedPath(storeDirectory, {
      name: 'by-contents',
      contentAddress,
      references: [],
      selfReference: false,
    });
    await put(handler, `/${url}`, bytes);
    const addressed = { ...narInfo, storePath, references: [], contentAddress };
    expect((await putNarInfo(handler, { ...addressed, storePath: path })).status).toBe(400);
    expect((await putNarInfo(handler, addressed)).status).toBe(201);
    const lie = await fileOf(makeNar('another one'));
    await put(handler, `/${lie.url}`, lie.bytes);
    const wrongName = contentAddressedPath(storeDirectory, {
      name: 'lie',
      contentAddress,
      references: [],
      selfReference: false,
    });
    const wrong = { ...lie.narInfo, storePath: wrongName, references: [], contentAddress };
    expect((await putNarInfo(handler, wrong)).status).toBe(400);
  });
});

describe('a narinfo that names a node', () => {
  async function infused(): Promise<NarInfo> {
    const { narInfo } = await fileOf(nar);
    const source = (async function* () {
      yield nar;
    })();
    const { node } = await ingestNar(source, { ...store, hashes: nodeHashes });
    return { ...narInfo, url: infusedNarUrl(node, nar.length), fileHash: undefined, fileSize: undefined };
  }

  test('is taken when the node is here', async () => {
    const narInfo = await infused();
    expect((await putNarInfo(cache(), narInfo)).status).toBe(201);
  });

  test('is refused when the node has another NAR, is not here, or may be that of another cache', async () => {
    const narInfo = await infused();
    expect((await putNarInfo(cache(), { ...narInfo, narHash: sha256(encodeUtf8('x')) })).status).toBe(400);
    expect((await putNarInfo(cache({ onlyOwnNars: true }), narInfo)).status).toBe(409);
    store = memoryStore();
    expect((await putNarInfo(cache(), narInfo)).status).toBe(409);
  });
});

test('a narinfo that is compressed on its way', async () => {
  const handler = cache();
  const { bytes, url, narInfo } = await fileOf(nar);
  await put(handler, `/${url}`, bytes);
  const text = gzipSync(printNarInfo(narInfo, storeDirectory));
  expect((await put(handler, narInfoUrl(narInfo), text, { 'content-encoding': 'snow' })).status).toBe(415);
  expect(
    (await put(handler, narInfoUrl(narInfo), text.subarray(0, 20), { 'content-encoding': 'gzip' })).status,
  ).toBe(400);
  expect((await put(handler, narInfoUrl(narInfo), text, { 'content-encoding': 'gzip' })).status).toBe(201);
});

test('a narinfo that was not there is seen as soon as it is', async () => {
  const handler = cache();
  const { bytes, url, narInfo } = await fileOf(nar);
  expect((await ask(handler, narInfoUrl(narInfo))).status).toBe(404);
  await put(handler, `/${url}`, bytes);
  await putNarInfo(handler, narInfo);
  expect((await ask(handler, narInfoUrl(narInfo))).status).toBe(200);
  expect(
    decodeEntry(
      Buffer.from(
        /castore\/([^?]+)/.exec((await ask(handler, narInfoUrl(narInfo))).text)?.[1] ?? '',
        'base64url',
      ),
    ).node.kind,
  ).toBe('directory');
});

test('nix-cache-info can only be what it is', async () => {
  const handler = cache();
  expect((await put(handler, '/nix-cache-info', 'StoreDir: /nix/store\n')).status).toBe(200);
  expect((await put(handler, '/nix-cache-info', 'StoreDir: /other\n')).status).toBe(409);
  expect((await put(handler, '/nix-cache-info', 'Priority: x\n')).status).toBe(400);
});

test('listings and debug information are taken and not used', async () => {
  const handler = cache();
  expect((await put(handler, `/${path.hashPart}.ls`, '{"version":1}')).status).toBe(200);
  expect((await ask(handler, `/${path.hashPart}.ls`)).status).toBe(404);
  const debug = `/debuginfo/${'a'.repeat(40)}`;
  expect((await put(handler, debug, '{}')).status).toBe(200);
  expect((await ask(handler, debug)).status).toBe(404);
});

test('what can be put says so', async () => {
  const answer = await ask(cache(), '/nix-cache-info', { method: 'DELETE' });
  expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, PUT' } });
});
