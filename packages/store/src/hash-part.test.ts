import { encodeHex } from '@neve/bytes';
import { expect, test } from 'vitest';
import { hashPartBytes } from './hash-part.ts';

// Made by `nix hash convert --hash-algo sha1 --from nix32 --to base16`.
test('bytes', () => {
  expect(encodeHex(hashPartBytes('00bgd045z0d4icpbc2yyz4gx48ak44la'))).toBe(
    '8a12321522fd91efbd60ebb2481af88580f61600',
  );
});

test.each(['', '0', '0'.repeat(31), '0'.repeat(33), 'e'.repeat(32), 'A'.repeat(32), `${'0'.repeat(31)}/`])(
  'refuses %j',
  (text) => {
    expect(() => hashPartBytes(text)).toThrow(expect.objectContaining({ code: 'invalid-path-info' }));
  },
);
