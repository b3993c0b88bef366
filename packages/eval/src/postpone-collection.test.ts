/** Collections that come later than they would by themselves, for who would rather give up the memory as a whole. */
import { encodeUtf8 } from '@neve/bytes';
import { coreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Evaluator } from './evaluator.ts';
import { newEvaluator } from './testing/evaluate.ts';
import { emptyWorld } from './testing/empty-world.ts';

const MiB = 1024 * 1024;
const core = new WebAssembly.Module(readFileSync(coreUrl));

/** Makes some 100 MiB of strings that nobody keeps. */
const garbage = `
  builtins.foldl' (sum: i: sum + builtins.stringLength (builtins.concatStringsSep (toString i) (builtins.genList (_: "xxxxxxxx") 10000)))
    0 (builtins.genList (i: i) 300)`;

async function collectionsOf(evaluator: Evaluator): Promise<number> {
  const counts = (): { cycles: number; totalBytes: number } =>
    evaluator.stats()['gc'] as { cycles: number; totalBytes: number };
  const before = counts();
  await evaluator.evaluate(
    await evaluator.parse({ kind: 'string', text: encodeUtf8(garbage), directory: '/' }),
  );
  const after = counts();
  expect(after.totalBytes - before.totalBytes).toBeGreaterThan(64 * MiB);
  expect(after.totalBytes).toBeLessThan(1000 * MiB);
  return after.cycles - before.cycles;
}

test('there is no collection below what was said, and the usual ones afterwards', async () => {
  const evaluator = newEvaluator(emptyWorld, { core, settings: { heapThresholdBytes: 8 * MiB } });
  expect(await collectionsOf(evaluator)).toBeGreaterThan(3);
  evaluator.postponeCollection(1000 * MiB);
  expect(await collectionsOf(evaluator)).toBe(0);
  evaluator.postponeCollection(16 * MiB);
  expect(await collectionsOf(evaluator)).toBe(0);
});

test('a collection below what was said comes once, and then at the usual size', async () => {
  const evaluator = newEvaluator(emptyWorld, { core, settings: { heapThresholdBytes: 8 * MiB } });
  evaluator.postponeCollection(32 * MiB);
  expect(await collectionsOf(evaluator)).toBeGreaterThan(3);
});

test('a limit of memory comes first', async () => {
  const limited = { heapThresholdBytes: 8 * MiB, maxHeapBytes: 256 * MiB };
  const evaluator = newEvaluator(emptyWorld, { core, settings: limited });
  evaluator.postponeCollection(1000 * MiB);
  expect(await collectionsOf(evaluator)).toBeGreaterThan(3);
});
