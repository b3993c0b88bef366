// That the files are zstd is seen by the program of that name and, frame by frame, by another decoder; what must be in them, by
// rendering the node.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Digest, concatBytes } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type BlobService, WeightedSemaphore } from '@neve/castore';
import { type PathInfo, type StoreServices, narCalculationByRendering, renderNar } from '@neve/store';
import { memoryStore, putSamplePath, samplePathInfo } from '@neve/store/testing';
import { compressFrames, frameSize } from './compress-frames.ts';
import {
  type CompressedNarEvent,
  CompressedNarFolder,
  type CompressedNarFolderOptions,
} from './compressed-nar-folder.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'neve-compressed-'));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

type Opened = { readonly folder: CompressedNarFolder; readonly events: CompressedNarEvent[] };

async function open(options: Partial<CompressedNarFolderOptions> & { path: string }): Promise<Opened> {
  const events: CompressedNarEvent[] = [];
  const folder = await CompressedNarFolder.open({
    store: memoryStore(),
    hashes: nodeHashes,
    onEvent: (event) => events.push(event),
    ...options,
  });
  cleanups.push(() => folder[Symbol.asyncDispose]());
  return { folder, events };
}

async function sample(store: StoreServices, seed = 'a'): Promise<PathInfo> {
  return putSamplePath({ seed }, store, nodeHashes);
}

/** Bytes that compress somewhat, the same every time. */
function contents(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = (state >>> 24) & (i & 1024 ? 0xff : 3);
  }
  return bytes;
}

async function largePath(store: StoreServices, length: number): Promise<PathInfo> {
  const bytes = contents(length);
  const digest = await store.blobs.put(bytes);
  const node = { kind: 'file', digest, size: length, executable: false } as const;
  const nar = await narCalculationByRendering({ ...store, hashes: nodeHashes }).calculateNar(node);
  return store.pathInfos.put(samplePathInfo('large', { ...nar, node, references: [], signatures: [] }));
}

async function narOf({ node }: PathInfo, store: StoreServices): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of renderNar(node, store)) pieces.push(piece.slice());
  return concatBytes(pieces);
}

function unzstd(file: string): Buffer {
  return execFileSync('zstd', ['-dc', file], { maxBuffer: 2 ** 30 });
}

const sha256 = (bytes: Uint8Array): Digest => nodeHashes.hash('sha256', bytes);

test('a file for a path, also for the next process', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfo = await sample(store);
  const { folder, events } = await open({ path, store });
  expect(await folder.find(pathInfo)).toBeUndefined();
  folder.request(pathInfo);
  await folder.idle();
  const found = await folder.find(pathInfo);
  const bytes = await readFile(found?.file ?? '');
  expect(found).toEqual({
    file: join(path, 'nar', `${sha256(bytes).format('nix32')}.nar.zst`),
    fileHash: sha256(bytes),
    fileSize: bytes.length,
    compression: 'zstd',
  });
  expect(unzstd(found?.file ?? '').equals(await narOf(pathInfo, store))).toBe(true);
  expect(events).toEqual([{ kind: 'made', hashPart: pathInfo.storePath.hashPart, file: found }]);
  await folder[Symbol.asyncDispose]();
  const again = await open({ path });
  expect(await again.folder.find(pathInfo)).toEqual(found);
  expect(await again.folder.open(found?.fileHash.format('nix32') ?? '')).toEqual(found);
  expect(await again.folder.open('0'.repeat(52))).toBeUndefined();
  expect(await again.folder.open('x')).toBeUndefined();
  expect(await readdir(join(path, 'unfinished'))).toEqual([]);
});

test('frames of 16 MiB, each of which can be decompressed by itself', async () => {
  const size = 2 * frameSize + 1000;
  const bytes = contents(size);
  const source = async function* (): AsyncGenerator<Uint8Array, void, void> {
    const piece = new Uint8Array(300_000);
    for (let i = 0; i < size; i += piece.length) {
      const part = bytes.subarray(i, i + piece.length);
      piece.set(part);
      yield piece.subarray(0, part.length);
    }
  };
  const options = { level: 3, size, threads: new WeightedSemaphore(2), parallel: 2 };
  const { signal } = new AbortController();
  const frames: Uint8Array[] = [];
  for await (const frame of compressFrames(source(), options, signal)) frames.push(frame);
  expect(frames.length).toBe(3);
  for (const [index, frame] of frames.entries()) {
    const expected = bytes.subarray(index * frameSize, (index + 1) * frameSize);
    const plain = execFileSync('zstd', ['-dc'], { input: frame, maxBuffer: 2 ** 30 });
    expect(plain.equals(expected)).toBe(true);
  }
}, 60_000);

test('a NAR of several frames', async () => {
  const store = memoryStore();
  const pathInfo = await largePath(store, frameSize + 12_345);
  const { folder } = await open({ path: await newFolder(), store, threads: 2 });
  folder.request(pathInfo);
  await folder.idle();
  const found = await folder.find(pathInfo);
  expect(unzstd(found?.file ?? '').equals(await narOf(pathInfo, store))).toBe(true);
}, 60_000);

test('a file that goes or is damaged is made again with the same bytes', async () => {
  const store = memoryStore();
  const pathInfo = await sample(store);
  const { folder, events } = await open({ path: await newFolder(), store });
  folder.request(pathInfo);
  await folder.idle();
  const made = await folder.find(pathInfo);
  const { file = '', fileHash } = made ?? {};
  const name = fileHash?.format('nix32') ?? '';
  const bytes = await readFile(file);

  await rm(file);
  expect(await folder.find(pathInfo)).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ kind: 'damaged', problem: 'it is missing' });
  expect(await folder.open(name)).toEqual(made);
  expect(await readFile(file)).toEqual(bytes);

  await truncate(file, 10);
  expect(await folder.open(name)).toEqual(made);
  expect(await readFile(file)).toEqual(bytes);

  await writeFile(file, Buffer.alloc(bytes.length));
  expect(await folder.check()).toEqual({ files: 1, damaged: 1 });
  expect(await folder.check()).toEqual({ files: 0, damaged: 0 });
  expect(await folder.open(name)).toEqual(made);
  expect(await readFile(file)).toEqual(bytes);
});

test('of what is gone there is no file, once its own is gone', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfo = await sample(store);
  const { folder } = await open({ path, store });
  folder.request(pathInfo);
  await folder.idle();
  const { file = '', fileHash } = (await folder.find(pathInfo)) ?? {};
  await folder[Symbol.asyncDispose]();
  const empty = await open({ path });
  await rm(file);
  expect(await empty.folder.open(fileHash?.format('nix32') ?? '')).toBeUndefined();
  expect(empty.events.at(-1)).toMatchObject({ kind: 'failed', error: { code: 'not-found' } });
});

test('what has another hash than its path info says becomes no file', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfo = { ...(await sample(store)), narHash: sha256(new Uint8Array(1)) };
  const { folder, events } = await open({ path, store });
  folder.request(pathInfo);
  await folder.idle();
  expect(events).toMatchObject([{ kind: 'failed', error: { code: 'corrupt' } }]);
  expect(await folder.find(pathInfo)).toBeUndefined();
  expect(await readdir(join(path, 'nar'))).toEqual([]);
  expect(await readdir(join(path, 'unfinished'))).toEqual([]);
});

test('the bound is kept; what was used last stays', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfos = await Promise.all(['a', 'b', 'c', 'd'].map((seed) => sample(store, seed)));
  const [first, second] = pathInfos as [PathInfo, PathInfo];
  const { folder } = await open({ path, store });
  for (const pathInfo of pathInfos) folder.request(pathInfo);
  await folder.idle();
  const sizeOf = async (it: PathInfo): Promise<number> => (await folder.find(it))?.fileSize ?? 0;
  const size = Math.max(...(await Promise.all(pathInfos.map(sizeOf))));
  const name = (await folder.find(second))?.fileHash.format('nix32') ?? '';
  await folder[Symbol.asyncDispose]();

  // Files that were just given out stay, so that the clock has to go on.
  const realNow = Date.now;
  cleanups.push(async () => {
    Date.now = realNow;
  });
  Date.now = () => realNow() + 40_000;
  const used = await open({ path, store });
  expect(await used.folder.find(first)).toBeDefined();
  await used.folder[Symbol.asyncDispose]();
  Date.now = () => realNow() + 80_000;
  const bounded = await open({ path, store, maxBytes: Math.ceil(size * 1.1) });
  const there = await Promise.all(pathInfos.map(async (it) => (await bounded.folder.find(it)) !== undefined));
  expect(there).toEqual([true, false, false, false]);
  expect((await readdir(join(path, 'nar'))).length).toBe(1);
  // A narinfo that a client has names it still.
  expect((await bounded.folder.open(name))?.fileHash.format('nix32')).toBe(name);
});

test('the policy is asked every time, the queue is bounded', async () => {
  const store = memoryStore();
  const asked: number[] = [];
  const policy = (_: PathInfo, requests: number): boolean => asked.push(requests) >= 3;
  const pathInfo = await sample(store);
  const { folder, events } = await open({ path: await newFolder(), store, policy });
  for (let i = 0; i < 3; i++) {
    expect(events).toEqual([]);
    folder.request(pathInfo);
    await folder.idle();
  }
  expect(asked).toEqual([1, 2, 3]);
  expect(events.length).toBe(1);

  const many = await Promise.all(Array.from({ length: 9 }, (_, i) => sample(store, String(i))));
  const bounded = await open({ path: await newFolder(), store, maxQueued: 4, threads: 2 });
  for (const it of many) bounded.folder.request(it);
  await bounded.folder.idle();
  expect(bounded.events.length).toBe(6);
});

test('it waits for the server to have a moment, but not for ever', async () => {
  const store = memoryStore();
  const pathInfo = await sample(store);
  let asked = 0;
  const isBusy = (): boolean => ++asked > 0;
  const { folder, events } = await open({ path: await newFolder(), store, isBusy });
  folder.request(pathInfo);
  await folder.idle();
  expect(asked).toBeGreaterThan(0);
  expect(events).toMatchObject([{ kind: 'made' }]);
});

test('the end does not wait for what is under way', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfo = await largePath(store, 3 * frameSize);
  const { folder, events } = await open({ path, store, isBusy: () => true });
  folder.request(pathInfo);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedMs = performance.now();
  await folder[Symbol.asyncDispose]();
  expect(performance.now() - startedMs).toBeLessThan(900);
  expect(events).toEqual([]);
  expect(await readdir(join(path, 'unfinished'))).toEqual([]);
  expect(await readdir(join(path, 'nar'))).toEqual([]);
}, 60_000);

test('what a crash left is removed when it is old', async () => {
  const path = await newFolder();
  const first = await open({ path });
  await first.folder[Symbol.asyncDispose]();
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const [name, isOld] of [
    ['unfinished/old', true],
    ['unfinished/new', false],
    ['nar/old.nar.zst', true],
  ] as const) {
    await writeFile(join(path, name), 'x');
    if (isOld) await utimes(join(path, name), old, old);
  }
  await open({ path });
  expect(await readdir(join(path, 'unfinished'))).toEqual(['new']);
  expect(await readdir(join(path, 'nar'))).toEqual([]);
});

test('a store that fails', async () => {
  const path = await newFolder();
  const store = memoryStore();
  const pathInfo = await sample(store);
  const broken: BlobService = Object.assign(Object.create(store.blobs) as BlobService, {
    atHand: undefined,
    open: () => Promise.reject(new Error('the disk is gone')),
  });
  const { folder, events } = await open({ path, store: { ...store, blobs: broken } });
  folder.request(pathInfo);
  await folder.idle();
  expect(events).toMatchObject([{ kind: 'failed', error: { message: 'the disk is gone' } }]);
  expect((await stat(path)).isDirectory()).toBe(true);
});
