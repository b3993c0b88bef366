import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  memoryPathInfos,
  readOnlyPathInfos,
  readPathClosure,
  readReferrers,
  requirePathClosure,
} from './index.ts';
import { sampleGraph, samplePath } from './testing/index.ts';

/** Seeds with the seeds that they refer to, only earlier ones and themselves. */
const graph = fc
  .array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 25 })
  .map((rows) =>
    Object.fromEntries(
      rows.map((row, index) => [`s${index}`, [...new Set(row.map((it) => `s${it % (index + 1)}`))]] as const),
    ),
  );

function reachedBy(
  seeds: readonly string[],
  references: Readonly<Record<string, readonly string[]>>,
): Set<string> {
  const reached = new Set(seeds);
  for (const seed of reached) for (const it of references[seed] ?? []) reached.add(it);
  return reached;
}

async function storeOf(references: Readonly<Record<string, readonly string[]>>) {
  const service = memoryPathInfos();
  for (const pathInfo of sampleGraph(references).values()) await service.put(pathInfo);
  return service;
}

test('closures are complete and in order; referrers are their inverse', async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.nat(), async (references, pick) => {
      const pathInfos = await storeOf(references);
      const seeds = Object.keys(references);
      const root = seeds[pick % seeds.length] as string;
      const closure = await requirePathClosure([samplePath(root)], {
        pathInfos,
        maxRequests: 1 + (pick % 5),
      });
      const names = closure.map(({ storePath }) => storePath.name);
      expect([...names].sort()).toEqual([...reachedBy([root], references)].sort());
      closure.forEach((it, index) => {
        for (const { name } of it.references) expect(names.indexOf(name)).toBeLessThanOrEqual(index);
      });
      const expected = seeds.filter((it) => it !== root && reachedBy([it], references).has(root));
      for (const service of [pathInfos, readOnlyPathInfos(pathInfos)]) {
        const referrers = await readReferrers([samplePath(root)], { pathInfos: service });
        expect([...referrers].sort()).toEqual(expected.map((it) => samplePath(it).hashPart).sort());
      }
    }),
    { numRuns: 60 },
  );
});

test('referrers of the first degree', async () => {
  const pathInfos = await storeOf({ a: [], b: ['a'], c: ['b'] });
  expect(await readReferrers([samplePath('a')], { pathInfos, recursive: false })).toEqual([
    samplePath('b').hashPart,
  ]);
});

test('what is missing is named with the path that refers to it', async () => {
  const pathInfos = await storeOf({ a: ['gone'], b: ['a'] });
  const { missing } = await readPathClosure([samplePath('b'), samplePath('no')], { pathInfos });
  expect(missing.map(({ storePath, referrer }) => [storePath.name, referrer?.name])).toEqual([
    ['no', undefined],
    ['gone', 'a'],
  ]);
  await expect(requirePathClosure([samplePath('b')], { pathInfos })).rejects.toThrow(
    `${samplePath('gone').baseName}, to which ${samplePath('a').baseName} refers`,
  );
});

test('a circle of references ends', async () => {
  const pathInfos = await storeOf({ a: ['b'], b: ['a'], c: ['a'] });
  const closure = await requirePathClosure([samplePath('c')], { pathInfos });
  expect(closure.map(({ storePath }) => storePath.name).sort()).toEqual(['a', 'b', 'c']);
});

test('the error of a request comes when all have ended', async () => {
  const inner = await storeOf({ a: ['b', 'c'], b: [], c: [] });
  let running = 0;
  const failing = {
    ...readOnlyPathInfos(inner),
    get: async (hashPart: string) => {
      running++;
      await new Promise((resolve) => setTimeout(resolve, hashPart === samplePath('b').hashPart ? 1 : 20));
      running--;
      if (hashPart === samplePath('b').hashPart) throw new Error('broken');
      return inner.get(hashPart);
    },
  };
  await expect(readPathClosure([samplePath('a')], { pathInfos: failing })).rejects.toThrow('broken');
  expect(running).toBe(0);
});
