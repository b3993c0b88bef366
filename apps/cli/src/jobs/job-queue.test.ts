import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobPath } from './job-path.ts';
import { JobQueue } from './job-queue.ts';

/** All that is in a queue, in the order in which a worker is given it. */
function drained(queue: JobQueue, worker = 0): readonly JobPath[] {
  const paths: JobPath[] = [];
  for (let batch = queue.take(worker); batch.length > 0; batch = queue.take(worker)) paths.push(...batch);
  return paths;
}

test('the whole comes first', () => {
  const queue = new JobQueue(2);
  expect(queue.take(0)).toEqual([[]]);
  expect(queue.take(0)).toEqual([]);
  expect(queue.size).toBe(0);
});

test('what is in a set comes before what is left around it', () => {
  const queue = new JobQueue(1);
  queue.take(0);
  queue.add([['a'], ['b'], ['c']], 0);
  expect(queue.take(0)).toEqual([['a'], ['b']]);
  queue.add(
    [
      ['b', 'x'],
      ['b', 'y'],
    ],
    0,
  );
  expect(drained(queue)).toEqual([['b', 'x'], ['b', 'y'], ['c']]);
});

test('slow paths are given one by one, fast ones many at a time, and the last ones to all', () => {
  const queue = new JobQueue(2);
  queue.take(0);
  queue.add(numbered(10_000), 0);
  queue.taken(1, 2000);
  expect(queue.take(0)).toHaveLength(1);
  for (let i = 0; i < 20; i++) queue.taken(100, 1);
  const fast = queue.take(0).length;
  expect(fast).toBeGreaterThan(100);
  while (queue.size > 8) queue.take(0);
  expect(queue.take(1).length).toBeLessThanOrEqual(2);
  expect(queue.take(0).length).toBeLessThanOrEqual(2);
});

test('each path is given out once, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.array(fc.nat(3000)), (names, times) => {
      const queue = new JobQueue(3);
      queue.take(0);
      queue.add(
        names.map((name) => [name]),
        0,
      );
      for (const ms of times) queue.taken(1, ms);
      expect(drained(queue)).toEqual(names.map((name) => [name]));
    }),
  );
});

test('workers have stretches of neighbours, and nothing is given out twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 2000 }), fc.array(fc.nat(2), { minLength: 1 }), (count, turns) => {
      const queue = new JobQueue(3);
      queue.take(0);
      queue.add(numbered(count), 0);
      const given = turns.map((worker) => queue.take(worker));
      for (const batch of given) {
        const numbers = batch.map(([name]) => Number(name));
        expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
      }
      const rest = [0, 1, 2].flatMap((worker) => drained(queue, worker));
      expect(queue.size).toBe(0);
      const all = [...given.flat(), ...rest].map(([name]) => Number(name)).sort((a, b) => a - b);
      expect(all).toEqual(numbered(count).map(([name]) => Number(name)));
    }),
  );
});

test('who has nothing left takes the far half of the longest stretch', () => {
  const queue = new JobQueue(2);
  queue.take(0);
  queue.add(numbered(1000), 0);
  queue.taken(1, 200);
  expect(queue.take(0)).toEqual(numbered(3));
  expect(queue.take(1)[0]).toEqual(['501']);
  expect(queue.take(0)[0]).toEqual(['3']);
});

function numbered(count: number): readonly string[][] {
  return Array.from({ length: count }, (_, index) => [String(index)]);
}
