import { expect, test } from 'vitest';
import { compressionExtensions, isCompression } from './index.ts';

// The URL that Nix 2.34.8 wrote for each with `nix copy --to file://<cache>?compression=<name>`.
test.each([
  ['none', ''],
  ['br', '.br'],
  ['bzip2', '.bz2'],
  ['lz4', '.lz4'],
  ['lzip', '.lzip'],
  ['xz', '.xz'],
  ['zstd', '.zst'],
] as const)('the NAR of %s ends with .nar%s', (name, extension) => {
  expect(compressionExtensions[name]).toBe(extension);
});

test('names', () => {
  expect(isCompression('lzma')).toBe(true);
  expect(['', 'XZ', 'toString', 'zst'].some(isCompression)).toBe(false);
});
