/** Object stores: each kind does the same; what is special about each; and the layout of blobs that others can read. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { blake3 } from '@napi-rs/blake-hash';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { B3Digest } from '../b3-digest.ts';
import { decodeBlobIndex, encodeBlobIndex } from '../blob-index.ts';
import { memoryObjectStore, type ObjectStore } from '../object-store.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { directoryObjectStore } from './directory-object-store.ts';
import { openHttpBlobs } from './http-blobs.ts';
import { httpObjectStore } from './http-object-store.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';
import { cloudOptions } from './object-store-options.ts';
import { openObjectStore } from './opendal-object-store.ts';
import { zstdCompress } from './zstd.ts';

const folder = await mkdtemp(join(tmpdir(), 'object-stores-'));
afterAll(() => rm(folder, { recursive: true }));

describe.each([
  ['memory', () => memoryObjectStore()],
  ['folder', () => directoryObjectStore(join(folder, randomUUID()))],
] as [string, () => ObjectStore][])('%s', (_, open) => {
  test('objects are put, read, listed and deleted', async () => {
    await using store = open();
    expect(await store.get('a/b')).toBeUndefined();
    expect(await store.head('a/b')).toBeUndefined();
    await expect(store.getRange('a/b', { offset: 0, length: 1 })).rejects.toMatchObject({
      code: 'not-found',
    });
    await store.delete('a/b');
    const before = Date.now() - 2000;
    await store.put('a/b', encodeUtf8('hello'));
    await store.put('a/c/d', new Uint8Array());
    await store.put('e', encodeUtf8('x'));
    await store.put('a/b', encodeUtf8('hello!'));
    expect(new Uint8Array((await store.get('a/b')) ?? [])).toEqual(encodeUtf8('hello!'));
    expect(await store.head('a/b')).toMatchObject({ size: 6 });
    expect((await store.head('a/b'))?.lastModifiedMs).toBeGreaterThan(before);
    for (const [offset, length, expected] of [
      [0, 2, 'he'],
      [4, 2, 'o!'],
      [4, 20, 'o!'],
      [6, 1, ''],
      [10, 1, ''],
    ] as const) {
      const part = await store.getRange('a/b', { offset, length });
      expect(new Uint8Array(part)).toEqual(encodeUtf8(expected));
    }
    expect(await keys(store, '')).toEqual(['a/b', 'a/c/d', 'e']);
    expect(await keys(store, 'a/')).toEqual(['a/b', 'a/c/d']);
    expect(await keys(store, 'nothing/')).toEqual([]);
    await store.delete('a/b');
    expect(await keys(store, '')).toEqual(['a/c/d', 'e']);
  });

  test('keys that would leave the store are refused', async () => {
    await using store = open();
    for (const key of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/.', 'a\0b']) {
      await expect(async () => store.put(key, new Uint8Array())).rejects.toMatchObject({
        code: 'unsupported',
      });
    }
  });

  test('an aborted request fails with the reason of its signal', async () => {
    await using store = open();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(store.put('a', new Uint8Array(), signal)).rejects.toBe(reason);
    await expect(store.head('a', signal)).rejects.toBe(reason);
  });
});

async function keys(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const result: string[] = [];
  for await (const { key } of store.list(prefix)) result.push(key);
  return result.sort();
}

describe('a folder', () => {
  test('holds objects as plain files, and what a crash left goes after a day', async () => {
    const path = join(folder, randomUUID());
    await mkdir(join(path, '.incoming'), { recursive: true });
    for (const name of ['old', 'new']) await writeFile(join(path, '.incoming', name), 'x');
    await utimes(join(path, '.incoming', 'old'), 0, 0);
    await using store = directoryObjectStore(path);
    await store.put('x/y', encodeUtf8('z'));
    expect(await readFile(join(path, 'x/y'), 'utf8')).toBe('z');
    expect(await readdir(join(path, '.incoming'))).toEqual(['new']);
    expect(await keys(store, '')).toEqual(['x/y']);
  });

  test('a failure names the store and the key', async () => {
    const path = join(folder, randomUUID());
    await writeFile(path, 'a file');
    await using store = directoryObjectStore(path);
    await expect(store.put('a/b', new Uint8Array())).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(`'${path}' cannot write 'a/b'`),
    });
  });
});

describe('URLs', () => {
  test.each([
    'memory:///',
    'objectstore+memory:///',
    `objectstore+file://${folder}/url`,
    `file://${folder}/url`,
  ])('%s', async (url) => {
    await using store = await openObjectStore(url);
    await store.put('a', encodeUtf8('b'));
    expect(await store.head('a')).toMatchObject({ size: 1 });
  });

  test.each([
    ['nothing', 'is not the URL'],
    ['ftp://host/', "'ftp' is not a type"],
    ['memory:///?a=b', "no option 'a'"],
    ['s3://bucket/?colour=red', "no option 'colour'"],
    ['s3://bucket/?endpoint=http://h&allow_http=false', 'has no TLS'],
  ])('%s is refused', async (url, problem) => {
    await expect(openObjectStore(url)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(problem),
    });
  });

  test('a cloud store opens without asking anybody, and its messages show no secret', async () => {
    const url =
      's3://bucket/prefix?aws_access_key_id=ID&aws_secret_access_key=SECRET&endpoint=http://127.0.0.1:1';
    await using store = await openObjectStore(url, { retries: 0, timeoutMs: 2000 });
    const error = await store.get('a/b').catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'io',
      message: expect.stringContaining("'s3://bucket/prefix' cannot read 'a/b'"),
    });
    expect(String(error) + String((error as Error).cause)).not.toContain('SECRET');
  });

  test('names of object_store are those of OpenDAL', () => {
    const options = {
      aws_endpoint: 'http://h',
      AWS_ACCESS_KEY_ID: 'id',
      aws_secret_access_key: 'key',
      aws_allow_http: 'true',
      virtual_hosted_style_request: 'true',
    };
    const environment = { AWS_REGION: 'eu', AWS_ACCESS_KEY_ID: 'other', REGION: 'x', PATH: '/bin' };
    expect(cloudOptions('s3', { options: [options], environment })).toEqual({
      disable_config_load: 'true',
      disable_ec2_metadata: 'true',
      endpoint: 'http://h',
      access_key_id: 'id',
      secret_access_key: 'key',
      region: 'eu',
      enable_virtual_host_style: 'true',
    });
    const azure = { azure_storage_account_name: 'a', azure_storage_account_key: 'k', container_name: 'c' };
    expect(cloudOptions('azblob', { options: [azure], environment: {} })).toEqual({
      account_name: 'a',
      account_key: 'k',
      container: 'c',
    });
    const google = cloudOptions('gcs', {
      options: [{ google_service_account_key: '{"a":1}' }],
      environment: {},
    });
    expect(google['credential']).toBe('eyJhIjoxfQ==');
  });
});

test('the index of a blob is the message of the protocol, read and written', () => {
  // By hand: field 2 with a message of 35 bytes (digest of 32, size 300), then field 3.
  const digest = new Uint8Array(32).fill(7);
  const chunk = Uint8Array.of(0x0a, 32, ...digest, 0x10, 0xac, 0x02);
  const bytes = Uint8Array.of(0x12, chunk.length, ...chunk, 0x1a, 3, 1, 2, 3);
  const index = { chunks: [{ digest: new B3Digest(digest), size: 300 }], outboard: Uint8Array.of(1, 2, 3) };
  expect(encodeBlobIndex(index)).toEqual(bytes);
  expect(decodeBlobIndex(bytes)).toEqual(index);
  expect(decodeBlobIndex(concatBytes([Uint8Array.of(0x08, 1), bytes]))).toEqual(index);
  expect(encodeBlobIndex({ chunks: [] })).toEqual(new Uint8Array());
  for (const wrong of [bytes.subarray(0, 10), Uint8Array.of(0x12, 0), Uint8Array.of(0x12, 2, 0x0a, 0)]) {
    expect(() => decodeBlobIndex(wrong)).toThrow(expect.objectContaining({ code: 'corrupt' }));
  }
  const chunks = fc.array(
    fc.record({
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((it) => new B3Digest(it)),
      size: fc.nat(2 ** 40),
    }),
  );
  fc.assert(
    fc.property(chunks, fc.uint8Array({ minLength: 1, maxLength: 300 }), (list, outboard) => {
      const decoded = decodeBlobIndex(encodeBlobIndex({ chunks: list, outboard }));
      expect(decoded.outboard).toEqual(outboard);
      expect(decoded.chunks.map((it) => [it.digest.hex, it.size])).toEqual(
        list.map((it) => [it.digest.hex, it.size]),
      );
    }),
  );
});

describe('the layout', () => {
  test('a blob that another program stored is read', async () => {
    const store = memoryObjectStore();
    const [a, b] = [bytesFor(200_000, 'a'), bytesFor(5000, 'b')];
    const whole = concatBytes([a, b, a]);
    const place = (kind: string, bytes: Uint8Array): string => {
      const hex = blake3(bytes).toString('hex');
      return `${kind}/b3/${hex.slice(0, 4)}/${hex}`;
    };
    const meta = (bytes: Uint8Array): Uint8Array => {
      const size = [(bytes.length & 0x7f) | 0x80, ((bytes.length >> 7) & 0x7f) | 0x80, bytes.length >> 14];
      if (size[2] === 0) size.splice(1, 2, (bytes.length >> 7) & 0x7f);
      return Uint8Array.of(0x12, 35 + size.length, 0x0a, 32, ...blake3(bytes), 0x10, ...size);
    };
    for (const chunk of [a, b]) await store.put(place('chunks', chunk), await zstdCompress(chunk, 3));
    await store.put(place('blobs', whole), concatBytes([meta(a), meta(b), meta(a)]));
    await store.put(place('blobs', b), new Uint8Array());
    await using service = await openObjectStoreBlobs({ store });
    for (const bytes of [whole, a, b]) {
      await using reader = await service.open(new B3Digest(new Uint8Array(blake3(bytes))));
      expect(Buffer.compare((await reader?.read(0, bytes.length)) ?? new Uint8Array(), bytes)).toBe(0);
      expect(reader?.size).toBe(bytes.length);
    }
    expect(await service.outboard(new B3Digest(new Uint8Array(blake3(whole))))).toBeUndefined();
    const known = new B3Digest(new Uint8Array(blake3(whole)));
    expect((await service.chunks(known))?.map(({ size }) => size)).toEqual([200_000, 5000, 200_000]);
  });

  test('a seek fetches only the chunks that it needs, and known chunks are not sent', async () => {
    const inner = memoryObjectStore();
    const [gets, puts]: [string[], string[]] = [[], []];
    const store: ObjectStore = {
      label: inner.label,
      get: (key) => (gets.push(key), inner.get(key)),
      getRange: (key, range) => inner.getRange(key, range),
      put: (key, bytes) => (puts.push(key), inner.put(key, bytes)),
      head: (key) => inner.head(key),
      list: (prefix) => inner.list(prefix),
      delete: (key) => inner.delete(key),
      [Symbol.asyncDispose]: async () => {},
    };
    await using service = await openObjectStoreBlobs({ store });
    const bytes = bytesFor(20 * 2 ** 20, 'seek');
    const digest = await service.put(bytes);
    await using reader = await service.open(digest);
    gets.length = 0;
    await reader?.read(10 * 2 ** 20, 100);
    expect(gets.filter((key) => key.startsWith('chunks/')).length).toBeLessThanOrEqual(2);
    puts.length = 0;
    await service.put(concatBytes([bytes, Uint8Array.of(1)]));
    // The last chunk, the outboard and the index.
    expect(puts.map((key) => key.split('/')[0]).sort()).toEqual(['blobs', 'chunks', 'outboards']);
  });
});

describe('over HTTP', () => {
  const path = join(folder, 'served');
  let server: Server;
  let url = '';
  /** Answers in place of the file, once each. */
  const faults: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  let requests = 0;
  const http = { retry: { baseDelayMs: 1 } };

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++;
      const fault = faults.shift();
      if (fault === undefined) void serve(request, response);
      else fault(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}/base`;
  });
  afterEach(() => expect(faults.length).toBe(0));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    expect(request.headers.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
    const file = await readFile(join(path, (request.url ?? '').replace('/base/', ''))).catch(() => undefined);
    if (file === undefined) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) return void response.writeHead(200, { 'content-length': file.length }).end(file);
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), file.length - 1)];
    if (start >= file.length) return void response.writeHead(416).end();
    const part = file.subarray(start, end + 1);
    response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${file.length}` }).end(part);
  }

  test('blobs of an object store in a folder are read', async () => {
    await using written = await openObjectStoreBlobs({ store: directoryObjectStore(path) });
    await using service = await openHttpBlobs(url);
    for (const size of [10, 3 * 2 ** 20, 20 * 2 ** 20]) {
      const bytes = bytesFor(size, 'http');
      const digest = await written.put(bytes);
      expect(await service.has(digest)).toBe(true);
      await using reader = await service.open(digest);
      const middle = Math.floor(size / 2);
      expect(new Uint8Array((await reader?.read(middle, 5)) ?? [])).toEqual(
        bytes.subarray(middle, middle + 5),
      );
      expect(Buffer.compare((await reader?.read(0, size)) ?? new Uint8Array(), bytes)).toBe(0);
    }
    const absent = new B3Digest(new Uint8Array(32));
    expect(await service.has(absent)).toBe(false);
    expect(await service.open(absent)).toBeUndefined();
    await expect(service.put(new Uint8Array(1))).rejects.toMatchObject({ code: 'unsupported' });
    expect(service.inventory).toBeUndefined();
  });

  test('what may pass is tried again: refusals with a time, broken bodies, broken connections', async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'file'), 'contents');
    await using store = httpObjectStore(url, { http });
    requests = 0;
    faults.push(
      (_, response) => response.writeHead(503, { 'retry-after': '0' }).end('busy'),
      (_, response) => {
        response.writeHead(200, { 'content-length': 8 }).write('con');
        setTimeout(() => response.destroy(), 10);
      },
      (request) => request.socket.destroy(),
    );
    expect(Buffer.from((await store.get('file')) ?? []).toString()).toBe('contents');
    expect(requests).toBe(4);
    const part = await store.getRange('file', { offset: 2, length: 3 });
    expect(Buffer.from(part).toString()).toBe('nte');
    expect((await store.getRange('file', { offset: 20, length: 3 })).length).toBe(0);
    expect(await store.head('file')).toMatchObject({ size: 8 });
  });

  test('what does not pass is an error at once, without the password', async () => {
    await using store = httpObjectStore(url, { http });
    faults.push((_, response) => response.writeHead(403).end());
    const error: unknown = await store.get('file').catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'io',
      message: expect.stringContaining("cannot give 'file': the server answers 403"),
    });
    expect(String(error)).not.toContain('secret');
  });

  test('a server that knows no ranges, and one that sends another one', async () => {
    await using store = httpObjectStore(url, { http, retries: 0 });
    faults.push(
      (_, response) => response.writeHead(200).end('contents'),
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-2/8' }).end('con'),
    );
    expect(Buffer.from(await store.getRange('file', { offset: 2, length: 3 })).toString()).toBe('nte');
    await expect(store.getRange('file', { offset: 2, length: 3 })).rejects.toMatchObject({ code: 'io' });
  });

  test.each(['ftp://host/', 'no URL'])('nothing else than a web server: %s', (other) => {
    expect(() => httpObjectStore(other)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test('through a proxy', async () => {
    const proxies = { http: new URL(url).origin };
    await using store = httpObjectStore('http://objects.invalid/base', { http: { proxies } });
    faults.push((request, response) => response.end(request.url));
    expect(String(Buffer.from((await store.get('a b')) ?? []))).toBe('http://objects.invalid/base/a%20b');
  });

  test('an object that is too long is not taken', async () => {
    await using store = httpObjectStore(url, { maxObjectBytes: 5 });
    await expect(store.get('file')).rejects.toMatchObject({ code: 'limit-exceeded' });
  });
});
