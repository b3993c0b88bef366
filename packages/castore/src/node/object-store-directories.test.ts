import { concatBytes, decodeHex } from '@neve/bytes';
import { decompress } from 'fzstd';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { B3Digest } from '../b3-digest.ts';
import { Directory, emptyDirectory } from '../directory.ts';
import type { DirectoryService } from '../directory-service.ts';
import { memoryObjectStore, type ObjectStore } from '../object-store.ts';
import { pathComponent, symlinkTarget } from '../path-component.ts';
import { directoryCompliance } from '../testing/directory-compliance.ts';
import { objectStoreDirectories } from './object-store-directories.ts';
import { zstdCompress } from './zstd.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('directories in an object store', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () =>
      run(async () => objectStoreDirectories(memoryObjectStore()), { gets: 'roots', puts: 'leaves' }),
    );
  }
});

// The directories were encoded by protoc, framed by hand, compressed by zstd 1.5.4 and hashed by b3sum.

const keepDigest = '8b5b5d642b646bb8ed504b0862c39413e87e57491497de7bd075953f7b83810e';
const rootDigest = '424a7f6ce08d805d15b428062faae96299a1675d708c3a39261afe38cdd04feb';
const rootEncoding =
  `0a2a0a046b65657012208b5b5d642b646bb8ed504b0862c39413e87e57491497de7bd075953f7b83810e1802` +
  `12290a052e6b6565701220af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262` +
  `1a1e0a02616112182f6e69782f73746f72652f736f6d657768657265656c7365`;
const keepEncoding = '12290a052e6b6565701220af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';
const frames = decodeHex(`00000077${rootEncoding}0000002b${keepEncoding}`);
const object = decodeHex(
  '28b52ffd04582504009407000000770a2a0a046b65657012208b5b5d642b646bb8ed504b0862c39413e87e57491497de7bd075953f7b83810e' +
    '180212290a052eaf1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f32621a1e0a02616112182f6e69782f73746f72652f' +
    '736f6d657768657265656c73650000002b0200045230b120a6a06cbcc56a',
);
const key = `dirs/b3/424a/${rootDigest}`;
const root = Directory.decode(decodeHex(rootEncoding));
const keep = Directory.decode(decodeHex(keepEncoding));

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

// oxlint-disable-next-line require-yield
async function* none(): AsyncGenerator<never, void, void> {
  throw new Error('the service has no inventory');
}

async function putAll(service: DirectoryService): Promise<void> {
  await using putter = service.putClosure();
  for (const directory of [keep, root]) await putter.put(directory);
  await putter.close();
}

test('an object that was made by other programs is read', async () => {
  await using store = memoryObjectStore();
  await store.put(key, object);
  const service = objectStoreDirectories(store);
  const closure = await collect(service.closure(new B3Digest(decodeHex(rootDigest))));
  expect(closure.map(({ digest }) => digest.hex)).toEqual([rootDigest, keepDigest]);
  expect(await collect(service.inventory?.verify() ?? none())).toEqual([]);
});

test('an object has the frames that it should have', async () => {
  await using store = memoryObjectStore();
  await putAll(objectStoreDirectories(store));
  expect((await collect(store.list(''))).map((it) => it.key)).toEqual([key]);
  expect(decompress((await store.get(key)) ?? object.subarray(0, 0))).toEqual(frames);
});

test('a directory that refers to others needs its closure', async () => {
  await using store = memoryObjectStore();
  const service = objectStoreDirectories(store);
  await service.put(keep);
  await expect(service.put(root)).rejects.toMatchObject({ code: 'unsupported' });
});

describe('an object that is not the closure is refused', () => {
  const framed = (directory: Directory): Uint8Array =>
    concatBytes([Uint8Array.of(0, 0, 0, directory.encoded.length), directory.encoded]);
  const link = { kind: 'symlink', target: symlinkTarget('x') } as const;
  const other = Directory.of([{ name: pathComponent('other'), node: link }]);
  const cases: Readonly<Record<string, Uint8Array | Promise<Uint8Array>>> = {
    'nothing at all': new Uint8Array(0),
    'no frame': zstdCompress(new Uint8Array(0)),
    'no zstd': frames,
    'cut off zstd': object.subarray(0, -6),
    'changed bytes': object.map((byte, index) => (index === 40 ? byte ^ 1 : byte)),
    'a cut off frame': zstdCompress(frames.subarray(0, -1)),
    'a cut off length': zstdCompress(concatBytes([frames, Uint8Array.of(0, 0)])),
    'a huge frame': zstdCompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
    'another root': zstdCompress(concatBytes([framed(keep), framed(root)])),
    'a missing directory': zstdCompress(framed(root)),
    'a directory twice': zstdCompress(concatBytes([frames, framed(keep)])),
    'a directory that does not belong there': zstdCompress(concatBytes([frames, framed(other)])),
    'a directory that does not belong there, before others': zstdCompress(
      concatBytes([framed(root), framed(other), framed(keep)]),
    ),
    'what is no directory': zstdCompress(concatBytes([framed(root), Uint8Array.of(0, 0, 0, 1, 7)])),
  };
  test.each(Object.entries(cases))('%s', async (_, bytes) => {
    await using store: ObjectStore = memoryObjectStore();
    await store.put(key, await bytes);
    const service = objectStoreDirectories(store);
    await expect(collect(service.closure(root.digest))).rejects.toMatchObject({ name: 'CastoreError' });
    const damaged = await collect(service.inventory?.verify() ?? none());
    expect(damaged.map(({ digest }) => digest.hex)).toEqual([rootDigest]);
  });
});

test('a closure is written again when it was not used for a minute', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2030-01-01T00:00:00Z') });
  await using store = memoryObjectStore();
  const service = objectStoreDirectories(store);
  await putAll(service);
  const first = (await store.head(key))?.lastModifiedMs ?? 0;
  vi.setSystemTime(first + 59_999);
  await putAll(service);
  expect((await store.head(key))?.lastModifiedMs).toBe(first);
  vi.setSystemTime(first + 60_000);
  await putAll(service);
  expect((await store.head(key))?.lastModifiedMs).toBe(first + 60_000);
  const unusedSinceMs = first + 60_000;
  expect(await service.inventory?.remove([root.digest], { unusedSinceMs })).toBe(0);
  expect(
    await service.inventory?.remove([root.digest], { unusedSinceMs: unusedSinceMs + 1 }),
  ).toBeGreaterThan(0);
});

test('objects of others are left alone', async () => {
  await using store = memoryObjectStore();
  await store.put('dirs/b3/readme', object);
  await store.put(`dirs/b3/0000/${rootDigest}`, object);
  await store.put(`elsewhere/424a/${rootDigest}`, object);
  const service = objectStoreDirectories(store);
  await service.put(emptyDirectory);
  const stored = await collect(service.inventory?.list() ?? none());
  expect(stored.map(({ digest }) => digest.hex)).toEqual([emptyDirectory.digest.hex]);
});
