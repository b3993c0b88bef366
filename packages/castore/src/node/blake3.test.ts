import { blake3 } from '@napi-rs/blake-hash';
import { encodeHex } from '@neve/bytes';
import { describe, expect, test } from 'vitest';
import { type Blake3, loadBlake3, portableBlake3 } from './blake3.ts';

const native = await loadBlake3();

test('the native library loads', () => {
  expect(native.isNative).toBe(true);
});

describe.each<[string, Blake3]>([
  ['native', native],
  ['portable', portableBlake3],
])('%s', (_, implementation) => {
  test.each([0, 1, 1000, 2047, 2048, 2049, 16_384, 16_385, 300_000])('hashes %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
    const expected = encodeHex(blake3(bytes));
    expect(encodeHex(implementation.hashBytes(bytes))).toBe(expected);
    const hasher = implementation.createHasher();
    for (let at = 0; at < length; at += 5000) hasher.update(bytes.subarray(at, at + 5000));
    expect(encodeHex(hasher.digest())).toBe(expected);
  });

  test('a hasher that is used again after others begins anew', () => {
    for (const text of ['a', 'b', 'c']) {
      const bytes = new TextEncoder().encode(text);
      expect(encodeHex(implementation.createHasher().update(bytes).digest())).toBe(encodeHex(blake3(bytes)));
    }
  });
});

test('a hasher refuses to go on after its digest', () => {
  const hasher = native.createHasher();
  hasher.digest();
  expect(() => hasher.update(new Uint8Array(1))).toThrow('used up');
  expect(() => hasher.digest()).toThrow('used up');
});
