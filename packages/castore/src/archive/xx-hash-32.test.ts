import fc from 'fast-check';
import { expect, test } from 'vitest';
import { XxHash32 } from './xx-hash-32.ts';

/** As the reference implementation has them. */
test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('%j', (text, hash) => {
  expect(new XxHash32().update(Buffer.from(text)).digest()).toBe(hash);
});

test('pieces do not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
      const whole = new XxHash32().update(Buffer.concat(pieces)).digest();
      const hash = new XxHash32();
      for (const piece of pieces) hash.update(piece);
      expect(hash.digest()).toBe(whole);
    }),
  );
});
