import { expect, test } from 'vitest';
import { SharedWork } from './shared-work.ts';

/** Work that ends when told, and counts. */
function counted() {
  const state = { begun: 0, aborted: 0, finish: undefined as unknown as (result: number) => void };
  const work = (signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      state.begun++;
      state.finish = resolve;
      signal.addEventListener('abort', () => {
        state.aborted++;
        reject(signal.reason);
      });
    });
  return { state, work };
}

test('the same key is one run, another key another, and a finished run is forgotten', async () => {
  const shared = new SharedWork<number>();
  const { state, work } = counted();
  const both = [shared.run('a', work), shared.run('a', work)];
  state.finish(1);
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect(state.begun).toBe(1);
  const again = shared.run('a', work);
  state.finish(2);
  expect(await again).toBe(2);
  expect(state.begun).toBe(2);
});

test('one who gives up leaves the others alone; the last one ends the work', async () => {
  const shared = new SharedWork<number>();
  const { state, work } = counted();
  const [first, second] = [new AbortController(), new AbortController()];
  const one = shared.run('a', work, first.signal);
  const two = shared.run('a', work, second.signal);
  first.abort(new Error('no more'));
  await expect(one).rejects.toThrow('no more');
  expect(state.aborted).toBe(0);
  second.abort(new Error('enough'));
  await expect(two).rejects.toThrow('enough');
  expect(state.aborted).toBe(1);
  const later = shared.run('a', work);
  state.finish(3);
  expect(await later).toBe(3);
});

test('a failure is everybody’s, and not remembered', async () => {
  const shared = new SharedWork<number>();
  const failing = async (): Promise<number> => {
    throw new Error('broken');
  };
  const both = [shared.run('a', failing), shared.run('a', failing)];
  for (const it of both) await expect(it).rejects.toThrow('broken');
  expect(await shared.run('a', async () => 1)).toBe(1);
});
