import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { lastUsedPrecisionMs } from '@neve/castore';
import type { Directory, DirectoryNode, Node, RemovalCondition } from '@neve/castore';
import { StoreDirectory } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { collectGarbage, narCalculationByRendering, renderNar, verifyStore } from './index.ts';
import type { GcOptions, Root, StoreServices } from './index.ts';
import { memoryStore, putSamplePath, putSampleTree, samplePath } from './testing/index.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const hour = 60 * 60 * 1000;

/** Seeds with what they refer to (earlier ones) and the contents that they share. */
const graph = fc
  .array(fc.tuple(fc.array(fc.nat(30), { maxLength: 3 }), fc.subarray(['x', 'y', 'z'])), {
    minLength: 1,
    maxLength: 14,
  })
  .map((rows) =>
    rows.map(([row, shared], index) => ({
      seed: `s${index}`,
      references: [...new Set(row.map((it) => `s${it % (index + 1)}`))],
      shared,
    })),
  );

type Graph = typeof graph extends fc.Arbitrary<infer T> ? T : never;

/** At another time, so that what is stored is old. */
async function at<T>(timeMs: number, run: () => Promise<T>): Promise<T> {
  const now = vi.spyOn(Date, 'now').mockReturnValue(timeMs);
  try {
    return await run();
  } finally {
    now.mockRestore();
  }
}

const longAgo = Date.now() - 100 * hour;

async function fill(rows: Graph): Promise<StoreServices> {
  const store = memoryStore();
  await at(longAgo, async () => {
    for (const row of rows) await putSamplePath(row, store, nodeHashes);
  });
  return store;
}

function reachedBy(seeds: readonly string[], rows: Graph): Set<string> {
  const reached = new Set(seeds);
  for (const seed of reached)
    for (const it of rows.find((row) => row.seed === seed)?.references ?? []) reached.add(it);
  return reached;
}

const rootsOf = (seeds: readonly string[]): Root[] =>
  seeds.map((seed) => ({ kind: 'path', storePath: samplePath(seed) }));

async function names(store: StoreServices): Promise<string[]> {
  const all: string[] = [];
  for await (const { read } of store.pathInfos.inventory?.list() ?? []) all.push(read().storePath.name);
  return all.sort();
}

/** What the naive model says that a store with these paths consists of: the contents of a new store that has only them. */
async function objectsOf(store: StoreServices): Promise<string[]> {
  const all: string[] = [];
  for await (const { digest } of store.directories.inventory?.list() ?? [])
    all.push(`directory ${digest.toString()}`);
  for await (const { digest } of store.blobs.inventory?.list() ?? []) all.push(`blob ${digest.toString()}`);
  return all.sort();
}

async function verify(store: StoreServices): Promise<unknown> {
  const deep = narCalculationByRendering({ ...store, hashes: nodeHashes });
  return (await verifyStore({ store, storeDirectory, ed25519: nodeEd25519, deep })).findings;
}

/** Without opening blobs, which would be a use of them. */
async function verifyShallow(store: StoreServices): Promise<unknown> {
  return (await verifyStore({ store, storeDirectory, ed25519: nodeEd25519 })).findings;
}

test('what the roots reach stays, all else goes', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.array(fc.nat(), { maxLength: 3 }), async (rows, picks) => {
      const store = await fill(rows);
      const seeds = [...new Set(picks.map((it) => `s${it % rows.length}`))];
      const kept = reachedBy(seeds, rows);
      const options = { store, roots: async () => rootsOf(seeds) };
      const before = await objectsOf(store);
      const planned = await collectGarbage({ ...options, dryRun: true });
      expect(await objectsOf(store)).toEqual(before);
      const result = await collectGarbage(options);
      expect(result).toEqual(planned);
      expect(result.paths.map((it) => it.name).sort()).toEqual(
        rows
          .map(({ seed }) => seed)
          .filter((it) => !kept.has(it))
          .sort(),
      );
      expect(result.keptPaths).toBe(kept.size);
      const model = await fill(rows.filter(({ seed }) => kept.has(seed)));
      expect(await names(store)).toEqual(await names(model));
      expect(await objectsOf(store)).toEqual(await objectsOf(model));
      expect(await verify(store)).toEqual([]);
      expect((await collectGarbage(options)).paths).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('a crash after any removal leaves a valid store, and the next collection ends the work', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.nat(), fc.nat(25), async (rows, pick, removals) => {
      const store = await fill(rows);
      const seeds = [`s${pick % rows.length}`];
      let left = removals;
      const crashing = <T extends object>(service: T): T =>
        wrapInventory(service, {
          remove: (inner) => async (first: never, condition: never) => {
            // One object at a time, as a process can die between any two.
            const items = typeof first === 'string' ? [first] : [...(first as Iterable<never>)];
            let result: unknown = 0;
            for (const item of items) {
              if (left-- <= 0) throw new Error('crash');
              result = await inner(typeof first === 'string' ? item : [item], condition);
            }
            return result;
          },
        });
      const fragile = {
        blobs: crashing(store.blobs),
        directories: crashing(store.directories),
        pathInfos: crashing(store.pathInfos),
      };
      await collectGarbage({ store: fragile, roots: async () => rootsOf(seeds) }).catch((error: unknown) => {
        expect((error as Error).message).toBe('crash');
      });
      expect(await verifyShallow(store)).toEqual([]);
      expect((await names(store)).filter((it) => reachedBy(seeds, rows).has(it))).toEqual(
        [...reachedBy(seeds, rows)].sort(),
      );
      await collectGarbage({ store, roots: async () => rootsOf(seeds) });
      const model = await fill(rows.filter(({ seed }) => reachedBy(seeds, rows).has(seed)));
      expect(await objectsOf(store)).toEqual(await objectsOf(model));
    }),
    { numRuns: 60 },
  );
});

type Wrapped = Readonly<Record<string, (inner: (...all: readonly unknown[]) => unknown) => unknown>>;

/** A service with other methods of its inventory. */
function wrapInventory<T extends object>(service: T, methods: Wrapped): T {
  const wrap = <O extends object>(object: O, replace: (key: string, value: unknown) => unknown): O =>
    new Proxy(object, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        const bound: unknown = typeof value === 'function' ? value.bind(target) : value;
        return replace(String(key), bound);
      },
    });
  return wrap(service, (key, value) =>
    key !== 'inventory'
      ? value
      : wrap(value as object, (name, method) => methods[name]?.(method as never) ?? method),
  );
}

describe('what is used meanwhile stays', () => {
  const rows: Graph = [
    { seed: 's0', references: [], shared: [] },
    { seed: 's1', references: ['s0'], shared: ['x'] },
  ];

  async function check(
    options: Partial<GcOptions>,
    prepare: (store: StoreServices) => Promise<void>,
    expected: string[],
  ) {
    const store = await fill(rows);
    await prepare(store);
    await collectGarbage({ store, roots: async () => [], ...options });
    expect(await names(store)).toEqual(expected);
    expect(await verify(store)).toEqual([]);
  }

  test('a path that was asked for since the oldest writer began', () =>
    check(
      { oldestWriterMs: async () => Date.now() - 50 * hour },
      (store) =>
        at(Date.now() - 40 * hour, async () => void (await store.pathInfos.get(samplePath('s1').hashPart))),
      ['s0', 's1'],
    ));

  test('not a path that was asked for before that', () =>
    check(
      { oldestWriterMs: async () => Date.now() - 50 * hour },
      (store) =>
        at(Date.now() - 51 * hour, async () => void (await store.pathInfos.get(samplePath('s1').hashPart))),
      [],
    ));

  test('times are only as precise as they are', () =>
    check(
      {},
      (store) =>
        at(
          Date.now() - lastUsedPrecisionMs / 2,
          async () => void (await store.pathInfos.has(samplePath('s0').hashPart)),
        ),
      ['s0'],
    ));

  test('a path that is asked for between marking and removal, with all that it needs', async () => {
    const store = await fill(rows);
    const pathInfos = wrapInventory(store.pathInfos, {
      remove: (inner) => async (hashPart: string, condition: RemovalCondition) => {
        await store.pathInfos.has(samplePath('s1').hashPart);
        return inner(hashPart, condition);
      },
    });
    const { paths } = await collectGarbage({ store: { ...store, pathInfos }, roots: async () => [] });
    expect(paths).toEqual([]);
    expect(await names(store)).toEqual(['s0', 's1']);
    expect(await verify(store)).toEqual([]);
  });

  test('contents that are stored while it runs, before their path info', async () => {
    const store = await fill(rows);
    let node: Node | undefined;
    const directories = wrapInventory(store.directories, {
      list: (inner) =>
        async function* (signal: AbortSignal) {
          // The same contents as a path that is garbage, by a writer that began now.
          node = await putSampleTree({ seed: 's1', shared: ['x'] }, store);
          yield* inner(signal) as AsyncIterable<unknown>;
        },
    });
    const { paths } = await collectGarbage({ store: { ...store, directories }, roots: async () => [] });
    expect(paths.map(({ name }) => name)).toEqual(['s1', 's0']);
    let size = 0;
    for await (const piece of renderNar(node as Node, store)) size += piece.length;
    expect(size).toBeGreaterThan(0);
  });

  test('contents of a directory that was put again while it runs, by somebody who did not look at its blobs', async () => {
    const store = await fill(rows);
    let node: Node | undefined;
    await at(longAgo, async () => {
      node = await putSampleTree({ seed: 'copied', shared: ['y'] }, store);
    });
    const directories = wrapInventory(store.directories, {
      list: (inner) =>
        async function* (signal: AbortSignal) {
          const closure: Directory[] = [];
          const { digest } = node as DirectoryNode;
          for await (const directory of store.directories.closure(digest)) closure.push(directory);
          await using putter = store.directories.putClosure();
          for (const directory of closure.toReversed()) await putter.put(directory);
          await putter.close();
          yield* inner(signal) as AsyncIterable<unknown>;
        },
    });
    await collectGarbage({ store: { ...store, directories }, roots: async () => [] });
    let size = 0;
    for await (const piece of renderNar(node as Node, store)) size += piece.length;
    expect(size).toBeGreaterThan(0);
  });
});

describe('policies', () => {
  const text = 'x'.repeat(10_000);
  const rows: Graph = [
    { seed: 's0', references: [], shared: [] },
    { seed: 's1', references: ['s0'], shared: [] },
    { seed: 's2', references: [], shared: [] },
  ];

  test('what was used within a time stays, with what it refers to', async () => {
    const store = await fill(rows);
    await at(Date.now() - 5 * hour, () => store.pathInfos.has(samplePath('s1').hashPart));
    await collectGarbage({ store, roots: async () => [], keepUsedWithinMs: 6 * hour });
    expect(await names(store)).toEqual(['s0', 's1']);
    await collectGarbage({ store, roots: async () => [], keepUsedWithinMs: 4 * hour });
    expect(await names(store)).toEqual([]);
  });

  test.each([
    [Infinity, ['s0', 's1', 's2']],
    [0, []],
  ])('a store of at most %d bytes', async (maxStoreBytes, expected) => {
    const store = await fill(rows);
    await collectGarbage({ store, roots: async () => [], maxStoreBytes });
    expect(await names(store)).toEqual(expected);
  });

  test('what was not used for longest goes first, and no more than it takes', async () => {
    const store = await fill(rows);
    await at(Date.now() - 9 * hour, () => store.pathInfos.has(samplePath('s2').hashPart));
    await at(Date.now() - 8 * hour, () => store.pathInfos.has(samplePath('s1').hashPart));
    const total = await storeBytes(store);
    await collectGarbage({ store, roots: async () => [], maxStoreBytes: total - 1 });
    // s0 was used before s2, but s1 needs it.
    expect(await names(store)).toEqual(['s0', 's1']);
    await collectGarbage({ store, roots: async () => [], maxStoreBytes: (await storeBytes(store)) - 1 });
    expect(await names(store)).toEqual(['s0']);
  });

  test('what a root reaches stays however large it is', async () => {
    const store = await fill(rows);
    await collectGarbage({ store, roots: async () => rootsOf(['s1']), maxStoreBytes: 0 });
    expect(await names(store)).toEqual(['s0', 's1']);
  });

  test('random stores become small enough with the fewest of the oldest', async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.nat(100), async (random, percent) => {
        const store = await fill(random);
        const limit = Math.floor(((await storeBytes(store)) * percent) / 100);
        await collectGarbage({ store, roots: async () => [], maxStoreBytes: limit });
        expect(await storeBytes(store)).toBeLessThanOrEqual(limit);
        expect(await verify(store)).toEqual([]);
        const model = await fill(random.filter(({ seed }) => reachedBy([], random).has(seed)));
        expect(await names(model)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('nodes can be roots', async () => {
    const store = await fill(rows);
    const node = await at(longAgo, () => putSampleTree({ seed: text }, store));
    await collectGarbage({ store, roots: async () => [{ kind: 'node', node }] });
    expect(await names(store)).toEqual([]);
    const nar: number[] = [];
    for await (const piece of renderNar(node, store)) nar.push(piece.length);
    expect(nar.length).toBeGreaterThan(0);
  });

  test('a root that is not there is named', async () => {
    const store = await fill(rows);
    const { missingRoots } = await collectGarbage({ store, roots: async () => rootsOf(['gone', 's2']) });
    expect(missingRoots.map(({ name }) => name)).toEqual(['gone']);
  });
});

async function storeBytes(store: StoreServices): Promise<number> {
  let total = 0;
  for await (const { sizeBytes } of store.directories.inventory?.list() ?? []) total += sizeBytes;
  for await (const { sizeBytes } of store.blobs.inventory?.list() ?? []) total += sizeBytes;
  return total;
}

test('a store that is damaged where it is needed loses nothing', async () => {
  const store = await fill([
    { seed: 's0', references: [], shared: [] },
    { seed: 's1', references: [], shared: [] },
  ]);
  const pathInfo = await store.pathInfos.get(samplePath('s0').hashPart);
  if (pathInfo?.node.kind !== 'directory') throw new Error('the sample has another form');
  await store.directories.inventory?.remove([pathInfo.node.digest], { unusedSinceMs: Infinity });
  const before = await objectsOf(store);
  await expect(collectGarbage({ store, roots: async () => rootsOf(['s0']) })).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(await objectsOf(store)).toEqual(before);
  expect(await names(store)).toEqual(['s0', 's1']);
});

test('blobs that nothing refers to go', async () => {
  const store = memoryStore();
  const digest = await at(longAgo, () => store.blobs.put(encodeUtf8('left behind')));
  const { garbageBlobs, freedBytes } = await collectGarbage({ store, roots: async () => [] });
  expect([garbageBlobs, freedBytes]).toEqual([1, 11]);
  expect(await store.blobs.has(digest)).toBe(false);
});
