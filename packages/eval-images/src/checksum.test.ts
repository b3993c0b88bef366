import { expect, test } from 'vitest';
import fc from 'fast-check';
import { Checksummer, checksum, printChecksum } from './checksum.ts';

test('pieces have the checksum of the whole, wherever it lies in memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(25), fc.nat(7), (bytes, words, offset) => {
      const cut = Math.min(words * 4, bytes.length - (bytes.length % 4));
      // A buffer of Node's too, whose `slice` is no copy.
      const space =
        offset % 2 === 0 ? new Uint8Array(bytes.length + offset) : Buffer.alloc(bytes.length + offset);
      const moved = space.subarray(offset);
      moved.set(bytes);
      const summer = new Checksummer();
      summer.update(moved.subarray(0, cut));
      summer.update(moved.subarray(cut));
      expect(summer.finish()).toEqual(checksum(bytes));
    }),
  );
});

test('a changed byte, and zeros that come or go, change it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, by) => {
        const changed = bytes.slice();
        changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ by;
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        const all = [bytes, changed, longer, bytes.subarray(1)].map((it) => printChecksum(checksum(it)));
        expect(new Set(all.slice(0, 3)).size).toBe(3);
        expect(all[3]).not.toBe(all[0]);
      },
    ),
  );
});

test('many small texts have checksums of their own', () => {
  const found = new Set<string>();
  for (let number = 0; number < 20_000; number++) {
    found.add(printChecksum(checksum(new TextEncoder().encode(`key ${number}`))));
  }
  expect(found.size).toBe(20_000);
});
