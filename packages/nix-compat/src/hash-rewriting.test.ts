// That the hash modulo is that of Nix is shown by the outputs of real builds in the tests of @neve/realise.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { HashRewriter, ModuloHasher, rewriteBytes } from './index.ts';

const a = '0123456789abcdfghijklmnpqrsvwxyz';
const b = 'zyxwvsrqpnmlkjihgfdcba9876543210';
const c = 'cccccccccccccccccccccccccccccccc';
const rewrites = new Map([
  [a, b],
  [c, a],
]);

/** In pieces of these lengths, the rest in one. */
function rewriteInPieces(bytes: Uint8Array, lengths: readonly number[], offsets?: number[]): Uint8Array {
  const rewriter = new HashRewriter(rewrites, (offset) => offsets?.push(offset));
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    pieces.push(rewriter.push(bytes.slice(at, at + length)));
    at += length;
  }
  pieces.push(rewriter.flush());
  return concatBytes(pieces);
}

describe('rewriting', () => {
  test.each([
    ['', ''],
    [a, b],
    [`${a}${a}`, `${b}${b}`],
    [`x${a}-${c}`, `x${b}-${a}`],
    [a.slice(1), a.slice(1)],
    [`${a.slice(0, 31)}\n${a}`, `${a.slice(0, 31)}\n${b}`],
    [`0${a}z`, `0${b}z`],
    // Of two that overlap the first is rewritten.
    [`${c}c`, `${a}c`],
  ])('%s', (text, expected) => {
    expect(decodeUtf8(rewriteBytes(encodeUtf8(text), rewrites))).toBe(expected);
  });

  test('where the pieces end does not matter', () => {
    const part = fc.oneof(
      fc.constantFrom(a, b, c, a.slice(0, 16), a.slice(16), '/nix/store/', '\0', 'e'),
      fc.stringMatching(/^[0-9a-z]{0,40}$/),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat({ max: 50 })), (parts, lengths) => {
        const text = parts.join('');
        const expected = text.replace(new RegExp(`${a}|${c}`, 'g'), (it) => rewrites.get(it) ?? it);
        const offsets: number[] = [];
        expect(decodeUtf8(rewriteInPieces(encodeUtf8(text), lengths, offsets))).toBe(expected);
        expect(offsets).toEqual([...text.matchAll(new RegExp(`${a}|${c}`, 'g'))].map(({ index }) => index));
      }),
    );
  });

  test('lengths cannot change', () => {
    expect(() => new HashRewriter(new Map([[a, 'short']]))).toThrow(RangeError);
  });
});

describe('a hash modulo', () => {
  const moduloOf = (text: string, modulus: string): string => {
    const hasher = new ModuloHasher({ algorithm: 'sha256', hashes: nodeHashes, modulus });
    for (const piece of text.match(/[\s\S]{1,7}/g) ?? []) hasher.update(encodeUtf8(piece));
    return hasher.digest().format('hex');
  };
  const plain = (text: string): string => nodeHashes.hash('sha256', encodeUtf8(text)).format('hex');

  test('is the plain hash of what does not mention it', () => {
    expect(moduloOf('nothing', a)).toBe(plain('nothing'));
  });

  test('counts it as zeroes, and has the offsets at its end', () => {
    const zeroes = '\0'.repeat(32);
    expect(moduloOf(`x${a}yy${a}`, a)).toBe(plain(`x${zeroes}yy${zeroes}|1|35`));
    expect(moduloOf(`x${a}`, a)).not.toBe(moduloOf(`x${zeroes}`, a));
  });

  test('does not depend on which it is', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('e', 'uu', '\n', 'HASH')), (parts) => {
        const text = parts.join('');
        expect(moduloOf(text.replaceAll('HASH', a), a)).toBe(moduloOf(text.replaceAll('HASH', b), b));
      }),
    );
  });
});
