import { nodeHashes } from '@neve/bytes/node';
import { coreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coreHash } from './core-hashes.ts';

const hash = coreHash(new WebAssembly.Module(readFileSync(coreUrl)));

test.each(['md5', 'sha1', 'sha256', 'sha512'] as const)('%s is the one of node:crypto', (algorithm) => {
  for (const length of [0, 1, 55, 56, 64, 1000, 300_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
    expect(hash(algorithm, bytes)).toEqual(nodeHashes.hash(algorithm, bytes));
  }
});

test('BLAKE3 of nothing', () => {
  const expected = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';
  expect(hash('blake3', new Uint8Array()).format('hex')).toBe(expected);
});
