/** zstd of whole byte strings: there and back, and what strangers may send. Frames by hand are after RFC 8878. */
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zstdCompress, zstdDecompress } from './zstd.ts';

test('there and back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.nat(300), async (bytes, times) => {
      const all = Buffer.concat(Array.from({ length: times }, () => bytes));
      const result = await zstdDecompress(await zstdCompress(all), all.length);
      expect(Buffer.from(result).equals(all)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('not a byte more than allowed', async () => {
  const compressed = await zstdCompress(new Uint8Array(1000));
  expect((await zstdDecompress(compressed, 1000)).length).toBe(1000);
  await expect(zstdDecompress(compressed, 999)).rejects.toMatchObject({ code: 'limit-exceeded' });
});

/** 128 KiB of zeroes each: `size << 3 | repeated << 1`, and the byte. */
function bomb(blocks: number): Uint8Array {
  const header = ((1 << 17) << 3) | 2;
  const block = (last: number): number[] => [(header & 0xff) | last, (header >>> 8) & 0xff, header >>> 16, 0];
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
  return Uint8Array.from([
    ...frame,
    ...Array.from({ length: blocks }, (_, index) => block(index === blocks - 1 ? 1 : 0)).flat(),
  ]);
}

test('a small bomb is decoded, a large one is stopped', async () => {
  expect((await zstdDecompress(bomb(4), 2 ** 19)).length).toBe(2 ** 19);
  const before = process.memoryUsage().rss;
  // 26 GB.
  await expect(zstdDecompress(bomb(200_000), 2 ** 19)).rejects.toMatchObject({ code: 'limit-exceeded' });
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 31);
});

test('cut off, damaged, something else', async () => {
  const compressed = await zstdCompress(Buffer.from('neve '.repeat(1000)));
  for (const bytes of [
    compressed.subarray(0, -1),
    compressed.subarray(1),
    Buffer.from('text'),
    compressed.map((it) => it ^ 1),
  ]) {
    await expect(zstdDecompress(bytes, 2 ** 20)).rejects.toMatchObject({ code: 'corrupt' });
  }
});
