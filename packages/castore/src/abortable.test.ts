import { expect, test } from 'vitest';
import { abortable } from './abortable.ts';

test('what the work gives', async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(1), undefined)).toBe(1);
  expect(await abortable(Promise.resolve(1), signal)).toBe(1);
  await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
});

// The runner fails when nobody hears of a failure.
test.each([
  ['before', AbortSignal.abort(new Error('enough'))],
  ['meanwhile', AbortSignal.timeout(1)],
])("an abort %s ends the waiting, and what the work does later is nobody's problem", async (_, signal) => {
  const work = new Promise((_resolve, reject) => setTimeout(() => reject(new Error('late')), 20));
  await expect(abortable(work, signal)).rejects.toThrow(/enough|timeout/);
  await new Promise((resolve) => setTimeout(resolve, 40));
});
