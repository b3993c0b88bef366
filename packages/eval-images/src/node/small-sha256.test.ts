import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { smallSha256 } from './small-sha256.ts';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('digests are those of node:crypto, of every length around the ends of blocks', () => {
  for (let length = 0; length < 260; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff);
    expect(smallSha256(bytes)).toBe(expected(bytes));
  }
});

test('digests of any bytes are those of node:crypto', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      expect(smallSha256(bytes)).toBe(expected(bytes));
    }),
  );
});
