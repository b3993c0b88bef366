import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Digest } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { Directory, digestFromKey, memoryBlobs, pathComponent } from '@neve/castore';
import type { B3Digest, BlobService, ChunkMeta, FileNode } from '@neve/castore';
import { StoreDirectory } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { copyClosure, narCalculationByRendering, renderNar, repairStore, verifyStore } from './index.ts';
import type { CopyEvent, Finding, StoreServices } from './index.ts';
import { NodeCopier, copyBlob } from './copy-node.ts';
import type { CopiedBlob } from './copy-node.ts';
import { memoryStore, putSamplePath, samplePath, samplePathInfo, sampleSignature } from './testing/index.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const always = { unusedSinceMs: Infinity };

async function sampleStore(): Promise<StoreServices> {
  const store = memoryStore();
  await putSamplePath({ seed: 'a', shared: ['x', 'y'] }, store, nodeHashes);
  await putSamplePath({ seed: 'b', shared: ['x'], references: ['a', 'b'] }, store, nodeHashes);
  await putSamplePath({ seed: 'c', shared: ['x', 'y'], references: ['b'] }, store, nodeHashes);
  await putSamplePath({ seed: 'other' }, store, nodeHashes);
  return store;
}

const deepOf = (store: StoreServices) => narCalculationByRendering({ ...store, hashes: nodeHashes });

async function verify(store: StoreServices): Promise<readonly Finding[]> {
  return (await verifyStore({ store, storeDirectory, ed25519: nodeEd25519, deep: deepOf(store) })).findings;
}

async function names(store: StoreServices): Promise<string[]> {
  const all: string[] = [];
  for await (const { storePath } of store.pathInfos.list()) all.push(storePath.name);
  return all.sort();
}

async function digests(items: AsyncIterable<{ readonly digest: B3Digest }> | undefined): Promise<B3Digest[]> {
  const all: B3Digest[] = [];
  for await (const { digest } of items ?? []) all.push(digest);
  return all;
}

/** Calls are counted and can fail. */
function watched<T extends object>(service: T, before: (method: string) => void): T {
  return new Proxy(service, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key === 'batch') return value === undefined ? value : watched(value as object, before);
      if (typeof value !== 'function') return value;
      return (...all: readonly unknown[]) => {
        before(String(key));
        return value.apply(target, all) as unknown;
      };
    },
  });
}

/** As wrappers are, which have single calls only. */
function withoutBatches(store: StoreServices): StoreServices {
  const blobs = new Proxy(store.blobs, {
    get(target, key) {
      const value: unknown = key === 'batch' ? undefined : Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...store, blobs };
}

type Stores = { readonly source: StoreServices; readonly target: StoreServices };

const forms: readonly (readonly [string, (stores: Stores) => Stores])[] = [
  ['in batches', (stores) => stores],
  [
    'one by one',
    ({ source, target }) => ({ source: withoutBatches(source), target: withoutBatches(target) }),
  ],
  ['from batches', ({ source, target }) => ({ source, target: withoutBatches(target) })],
  ['to batches', ({ source, target }) => ({ source: withoutBatches(source), target })],
];

describe.each(forms)('copying %s', (_, formOf) => {
  async function sampleStores(): Promise<Stores> {
    return formOf({ source: await sampleStore(), target: memoryStore() });
  }

  test('a closure, and what it tells meanwhile', async () => {
    const { source, target } = await sampleStores();
    const events: CopyEvent[] = [];
    const verification = deepOf(target);
    const result = await copyClosure([samplePath('c')], {
      source,
      target,
      verify: verification,
      onEvent: (it) => events.push(it),
    });
    expect(await names(target)).toEqual(['a', 'b', 'c']);
    expect(await verify(target)).toEqual([]);
    expect(events[0]).toMatchObject({ kind: 'plan', paths: 3 });
    expect(events.flatMap((it) => (it.kind === 'path' ? [it.storePath.name] : []))).toEqual(['a', 'b', 'c']);
    const blobs = await digests(target.blobs.inventory?.list());
    expect(result).toMatchObject({ paths: 3, blobs: blobs.length });
    expect(events.filter((it) => it.kind === 'blob')).toHaveLength(blobs.length);
  });

  test('again copies nothing, and what is new only that', async () => {
    const { source, target } = await sampleStores();
    await copyClosure([samplePath('b')], { source, target });
    let opened = 0;
    const counting = {
      ...source,
      blobs: watched(source.blobs, (method) => (opened += method === 'open' || method === 'readAll' ? 1 : 0)),
    };
    expect(await copyClosure([samplePath('b')], { source: counting, target })).toEqual({
      paths: 0,
      blobs: 0,
      copiedBytes: 0,
    });
    expect(opened).toBe(0);
    // Only its own file is new; the others came with a and b.
    expect(await copyClosure([samplePath('c')], { source: counting, target })).toMatchObject({
      paths: 1,
      blobs: 1,
    });
    expect(opened).toBe(1);
  });

  test('an interruption at any time leaves a valid store, and doing it again ends it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 4 }), async (calls, maxPaths) => {
        const { source, target } = await sampleStores();
        let left = calls;
        const failing = {
          ...source,
          blobs: watched(source.blobs, () => {
            if (left-- <= 0) throw new Error('lost');
          }),
        };
        await copyClosure([samplePath('c')], { source: failing, target, maxPaths }).catch(
          (error: unknown) => {
            expect((error as Error).message).toBe('lost');
          },
        );
        expect(await verify(target)).toEqual([]);
        await copyClosure([samplePath('c')], { source, target, maxPaths });
        expect(await names(target)).toEqual(['a', 'b', 'c']);
        expect(await verify(target)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('an incomplete source is refused before anything is copied', async () => {
    const { source, target } = await sampleStores();
    await source.pathInfos.inventory?.remove(samplePath('a').hashPart, always);
    await expect(copyClosure([samplePath('c')], { source, target })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await digests(target.blobs.inventory?.list())).toEqual([]);
  });

  test('contents that are not those of the path info', async () => {
    const { source, target } = await sampleStores();
    const pathInfo = await source.pathInfos.get(samplePath('a').hashPart);
    if (pathInfo === undefined) throw new Error('the sample is not there');
    await source.pathInfos.put({ ...pathInfo, narHash: samplePathInfo('lie').narHash });
    const copying = copyClosure([samplePath('c')], { source, target, verify: deepOf(target) });
    await expect(copying).rejects.toMatchObject({ code: 'corrupt' });
    await expect(copying).rejects.toThrow(`${samplePath('a').baseName} cannot be copied`);
    expect(await names(target)).toEqual([]);
  });

  test('a source that gives other bytes', async () => {
    const { source, target } = await sampleStores();
    const lie = memoryBlobs();
    const wrong = await lie.put(new Uint8Array(8).fill(1));
    const { batch } = source.blobs;
    async function* lyingReadAll(digests: readonly B3Digest[], maxBytes: number) {
      for await (const bytes of batch?.readAll(digests, maxBytes) ?? [])
        yield bytes && new Uint8Array(bytes.length);
    }
    const lying: BlobService = new Proxy(source.blobs, {
      get: (blobs, key) =>
        key === 'batch'
          ? batch && { ...batch, readAll: lyingReadAll }
          : key === 'open'
            ? async (digest: B3Digest) => {
                const reader = await lie.open(wrong);
                const size = (await blobs.open(digest))?.size ?? 0;
                return (
                  reader && {
                    ...reader,
                    size,
                    read: async () => new Uint8Array(size),
                    stream: async function* () {
                      yield new Uint8Array(size);
                    },
                    [Symbol.asyncDispose]: async () => {},
                  }
                );
              }
            : (Reflect.get(blobs, key, blobs) as unknown),
    });
    await expect(
      copyClosure([samplePath('c')], { source: { ...source, blobs: lying }, target }),
    ).rejects.toMatchObject({
      code: 'corrupt',
    });
    expect(await names(target)).toEqual([]);
    expect(await digests(target.directories.inventory?.list())).toEqual([]);
  });

  test('what a source leaves out of its batches, or cuts off, is read one by one', async () => {
    const { source, target } = await sampleStores();
    const { batch } = source.blobs;
    async function* poorReadAll(digests: readonly B3Digest[], maxBytes: number) {
      let index = 0;
      for await (const bytes of batch?.readAll(digests, maxBytes) ?? []) {
        if (index++ === 2) return;
        yield index === 1 ? undefined : bytes?.subarray(1);
      }
    }
    const poor = new Proxy(source.blobs, {
      get: (blobs, key) =>
        key === 'batch'
          ? batch && { ...batch, readAll: poorReadAll }
          : (Reflect.get(blobs, key, blobs)?.bind?.(blobs) as unknown),
    });
    await copyClosure([samplePath('c')], { source: { ...source, blobs: poor }, target });
    expect(await verify(target)).toEqual([]);
    expect(await names(target)).toEqual(['a', 'b', 'c']);
  });

  test('a blob that the source has lost', async () => {
    const { source, target } = await sampleStores();
    const lost = await digests(source.blobs.inventory?.list());
    await source.blobs.inventory?.remove(lost.slice(0, 1), always);
    const all = ['c', 'other'].map((seed) => samplePath(seed));
    await expect(copyClosure(all, { source, target })).rejects.toMatchObject({ code: 'not-found' });
    expect(await verify(target)).toEqual([]);
  });

  test('more blobs than fit into a batch, some of them there, each told once', async () => {
    const { source, target } = formOf({ source: memoryStore(), target: memoryStore() });
    const sizes = [0, 1, 65_536, 65_537, 200_000, ...Array.from({ length: 2500 }, (_, i) => 20 + (i % 400))];
    const contents = sizes.map((size, i) =>
      Uint8Array.from({ length: size }, (_, at) => (at * 7 + i * (at >> 3)) & 0xff),
    );
    const files: FileNode[] = [];
    for (const bytes of contents) {
      files.push({
        kind: 'file',
        digest: await source.blobs.put(bytes),
        size: bytes.length,
        executable: false,
      });
    }
    const expected = new Map(
      files.map(({ digest, size }) => [digest.key, { sizeBytes: size, copiedBytes: size }]),
    );
    for (const i of [1, 3, 100, 1500]) {
      await target.blobs.put(contents[i] ?? new Uint8Array());
      const { digest, size } = files[i] as FileNode;
      expected.set(digest.key, { sizeBytes: size, copiedBytes: 0 });
    }
    const entries = files.map((node, i) => ({ name: pathComponent(`f${String(i).padStart(5, '0')}`), node }));
    const directory = Directory.of(entries);
    await source.directories.put(directory);
    const told = new Map<string, unknown>();
    let times = 0;
    const onBlob = ({ digest, ...rest }: CopiedBlob): void => {
      times++;
      told.set(digest.key, rest);
    };
    const copier = new NodeCopier({ source, target, onBlob });
    // Both want the same blobs at the same time.
    await Promise.all([copier.copy(directory.node), copier.copy(directory.node)]);
    // The empty blob is everywhere.
    expected.set((files[0] as FileNode).digest.key, { sizeBytes: 0, copiedBytes: 0 });
    expect(times).toBe(expected.size);
    expect(told).toEqual(expected);
    for (const { digest, size } of files) expect((await target.blobs.open(digest))?.size).toBe(size);
  });

  test('chunks that the target has are not read from the source', async () => {
    const [source, target] = [memoryBlobs(), memoryBlobs()];
    const parts = [1, 2, 3].map((it) => new Uint8Array(600_000).fill(it));
    const chunks: ChunkMeta[] = [];
    for (const part of parts) chunks.push({ digest: await source.put(part), size: part.length });
    const whole = new Uint8Array(Buffer.concat(parts));
    const digest = await source.put(whole);
    await target.put(parts[1] as Uint8Array);
    const chunked: BlobService = new Proxy(source, {
      get: (blobs, key) =>
        key === 'chunks' ? async () => chunks : Reflect.get(blobs, key, blobs)?.bind(blobs),
    });
    const file = { kind: 'file', digest, size: whole.length, executable: false } as const;
    expect(await copyBlob(file, { source: chunked, target })).toBe(1_200_000);
    expect(await target.has(digest)).toBe(true);
    expect(await copyBlob(file, { source, target: memoryBlobs() })).toBe(1_800_000);
  });
});

describe('verify and repair', () => {
  async function check(
    damage: (store: StoreServices) => Promise<unknown>,
    expected: readonly object[],
    repairs = true,
  ) {
    const [store, source] = [await sampleStore(), await sampleStore()];
    await damage(store);
    const findings = await verify(store);
    expect(
      findings.map(({ kind, storePaths }) => ({ kind, paths: storePaths.map(({ name }) => name).sort() })),
    ).toEqual(expected);
    const { failed, repaired } = await repairStore(findings, { store, source });
    expect(failed.map(({ reason }) => reason)).toEqual(repairs ? [] : [expect.any(String)]);
    expect(repaired).toHaveLength(repairs ? findings.length : findings.length - 1);
    if (!repairs) return;
    expect(await verify(store)).toEqual([]);
    expect(await names(store)).toEqual(['a', 'b', 'c', 'other']);
  }

  const nodeOf = async (store: StoreServices, seed: string) => {
    const node = (await store.pathInfos.get(samplePath(seed).hashPart))?.node;
    if (node?.kind !== 'directory') throw new Error('the sample has another form');
    return node;
  };

  test('nothing is wrong', () => check(async () => {}, []));

  test('a blob that is not there, and the paths that it breaks', () =>
    check(
      async (store) => {
        const root = await store.directories.get((await nodeOf(store, 'b')).digest);
        const [own] = root?.entries ?? [];
        if (own?.node.kind === 'file') await store.blobs.inventory?.remove([own.node.digest], always);
      },
      [{ kind: 'blob', paths: ['b'] }],
    ));

  test('a blob of several paths', () =>
    check(
      async (store) => store.blobs.inventory?.remove([await blobNamed(store, 'x')], always),
      [{ kind: 'blob', paths: ['a', 'b', 'c'] }],
    ));

  test('a directory that is not there', () =>
    check(
      async (store) => store.directories.inventory?.remove([(await nodeOf(store, 'c')).digest], always),
      [{ kind: 'directory', paths: ['c'] }],
    ));

  test('a path info that is not there', () =>
    check(
      async (store) => store.pathInfos.inventory?.remove(samplePath('a').hashPart, always),
      [{ kind: 'reference', paths: ['b'] }],
    ));

  test('a NAR hash that is not that of the contents', () =>
    check(
      async (store) => {
        const pathInfo = await store.pathInfos.get(samplePath('a').hashPart);
        if (pathInfo === undefined) throw new Error('the sample is not there');
        await store.pathInfos.put({ ...pathInfo, narHash: new Digest('sha256', new Uint8Array(32)) });
      },
      [{ kind: 'path-info', paths: ['a'] }],
    ));

  test('a content address that does not give the path', () =>
    check(
      async (store) => {
        const pathInfo = await store.pathInfos.get(samplePath('a').hashPart);
        if (pathInfo === undefined) throw new Error('the sample is not there');
        await store.pathInfos.put({
          ...pathInfo,
          contentAddress: { method: 'nar', digest: pathInfo.narHash },
        });
      },
      [{ kind: 'path-info', paths: ['a'] }],
    ));

  test('what the other store does not have', () =>
    check(
      async (store) => {
        const made = await putSamplePath({ seed: 'only here'.replace(' ', '-') }, store, nodeHashes);
        await store.directories.inventory?.remove(
          [made.node.kind === 'directory' ? made.node.digest : digestFromKey('')],
          always,
        );
      },
      [{ kind: 'directory', paths: ['only-here'] }],
      false,
    ));

  test('a wrong signature by a known key', async () => {
    const store = await sampleStore();
    const pathInfo = await store.pathInfos.get(samplePath('a').hashPart);
    if (pathInfo === undefined) throw new Error('the sample is not there');
    await store.pathInfos.put({
      ...pathInfo,
      signatures: [sampleSignature('k-1'), sampleSignature('stranger-1')],
    });
    const keys = [{ name: 'k-1', bytes: nodeEd25519.publicKey(new Uint8Array(32)) }];
    const { findings, checkedPaths } = await verifyStore({
      store,
      storeDirectory,
      ed25519: nodeEd25519,
      keys,
    });
    expect(findings.map(({ problem }) => problem)).toEqual([
      `${samplePath('a').baseName}: its signature by 'k-1' is wrong`,
    ]);
    expect(checkedPaths).toBe(4);
  });
});

async function blobNamed(store: StoreServices, text: string): Promise<B3Digest> {
  const digest = await memoryBlobs().put(new TextEncoder().encode(text));
  expect(await store.blobs.has(digest)).toBe(true);
  return digest;
}

test('what was copied gives the same NAR', async () => {
  const [source, target] = [await sampleStore(), memoryStore()];
  await copyClosure([samplePath('a')], { source, target });
  const node = (await target.pathInfos.get(samplePath('a').hashPart))?.node;
  if (node === undefined) throw new Error('it was not copied');
  const nars = await Promise.all(
    [source, target].map(async (store) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of renderNar(node, store)) pieces.push(piece.slice());
      return Buffer.concat(pieces);
    }),
  );
  expect(nars[1]).toEqual(nars[0]);
});
