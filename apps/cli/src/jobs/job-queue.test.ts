import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobPath } from './job-path.ts';
import { JobQueue } from './job-queue.ts';

/** All that is in a queue, in the order in which it is given out. */
function drained(queue: JobQueue): readonly JobPath[] {
  const paths: JobPath[] = [];
  for (let batch = queue.take(); batch.length > 0; batch = queue.take()) paths.push(...batch);
  return paths;
}

test('the whole comes first', () => {
  const queue = new JobQueue(2);
  expect(queue.take()).toEqual([[]]);
  expect(queue.take()).toEqual([]);
  expect(queue.size).toBe(0);
});

test('what is in a set comes before what is left around it', () => {
  const queue = new JobQueue(1);
  queue.take();
  queue.add([['a'], ['b'], ['c']]);
  expect(queue.take()).toEqual([['a'], ['b']]);
  queue.add([
    ['b', 'x'],
    ['b', 'y'],
  ]);
  expect(drained(queue)).toEqual([['b', 'x'], ['b', 'y'], ['c']]);
});

test('slow paths are given one by one, fast ones many at a time, and the last ones to all', () => {
  const queue = new JobQueue(2);
  queue.take();
  queue.add(Array.from({ length: 10_000 }, (_, i) => [String(i)]));
  queue.taken(1, 2000);
  expect(queue.take()).toHaveLength(1);
  for (let i = 0; i < 20; i++) queue.taken(100, 1);
  const fast = queue.take().length;
  expect(fast).toBeGreaterThan(100);
  while (queue.size > 8) queue.take();
  expect(queue.take().length).toBeLessThanOrEqual(2);
});

test('each path is given out once, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.array(fc.nat(3000)), (names, times) => {
      const queue = new JobQueue(3);
      queue.take();
      queue.add(names.map((name) => [name]));
      for (const ms of times) queue.taken(1, ms);
      expect(drained(queue)).toEqual(names.map((name) => [name]));
    }),
  );
});
