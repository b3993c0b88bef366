import { expect, test } from 'vitest';
import { BytesError, Digest, compareBytes, concatBytes, encodeUtf8, parseDigest } from './index.ts';
import { nodeHashes } from './node/index.ts';

// FIPS 180-4's example "abc"; the other forms are `nix-hash --to-base32` and `--to-sri` of it.
const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const forms = {
  nix32: '1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s',
  base64: 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
};

test('the digest of a text, in all forms', () => {
  const digest = nodeHashes.hash('sha256', encodeUtf8('abc'));
  expect(digest.format('hex')).toBe(hex);
  expect(digest.format('nix32')).toBe(forms.nix32);
  expect(digest.format('base64')).toBe(forms.base64);
  expect(digest.format('sri')).toBe(`sha256-${forms.base64}`);
  for (const text of [hex, forms.nix32, forms.base64]) {
    expect(parseDigest(text, 'sha256').equals(digest)).toBe(true);
    expect(parseDigest(`sha256:${text}`).equals(digest)).toBe(true);
  }
  expect(parseDigest(`sha256-${forms.base64}`).equals(digest)).toBe(true);
});

test.each([`sha1:${hex}`, 'sha256:00', hex, `sha255:${hex}`, `sha256-${hex}`])('refuses %s', (text) => {
  expect(() => parseDigest(text)).toThrow(BytesError);
});

test('a digest knows its length', () => {
  expect(() => new Digest('sha1', new Uint8Array(32))).toThrow(BytesError);
});

test('a hash in pieces is the hash of the whole', () => {
  const hasher = nodeHashes.create('sha512');
  hasher.update(encodeUtf8('a'));
  hasher.update(encodeUtf8('bc'));
  expect(hasher.digest().equals(nodeHashes.hash('sha512', encodeUtf8('abc')))).toBe(true);
});

test('order is bytewise and unsigned', () => {
  const texts = ['z', 'é', 'a', '', 'B', 'aa'].map(encodeUtf8);
  expect(concatBytes(texts.sort(compareBytes))).toEqual(encodeUtf8('Baaazé'));
});
