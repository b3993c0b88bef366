import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeBase64,
  decodeHex,
  decodeNixBase32,
  encodeBase64,
  encodeHex,
  encodeNixBase32,
} from './index.ts';

const forms = [
  { name: 'hex', encode: encodeHex, decode: decodeHex },
  { name: 'nixbase32', encode: encodeNixBase32, decode: decodeNixBase32 },
  { name: 'base64', encode: encodeBase64, decode: decodeBase64 },
];

for (const { name, encode, decode } of forms) {
  test(`${name}: read what was written`, () => {
    const property = fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(decode(encode(bytes))).toEqual(bytes);
    });
    fc.assert(property);
  });

  test(`${name}: what can be read is written the same`, () => {
    const property = fc.property(fc.string({ maxLength: 12 }), (text) => {
      let bytes: Uint8Array;
      try {
        bytes = decode(text);
      } catch {
        return;
      }
      expect(name === 'base64' ? decode(encode(bytes)) : encode(bytes)).toEqual(
        name === 'base64' ? bytes : text.toLowerCase(),
      );
    });
    fc.assert(property);
  });
}

describe('nixbase32', () => {
  // `nix-hash --type sha256 --to-base32` of the hexadecimal digest of the empty string.
  test('a digest', () => {
    const digest = decodeHex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(encodeNixBase32(digest)).toBe('0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73');
  });

  test.each(['e', '0e', 'zz', '00u', 'A0', '000'])('refuses %j', (text) => {
    expect(() => decodeNixBase32(text)).toThrow();
  });
});

describe('base64', () => {
  test.each(['Zg', 'Zg=', 'Z===', 'Zg==\n', 'Z-==', ' Zg=='])('refuses %j', (text) => {
    expect(() => decodeBase64(text)).toThrow();
  });
});
