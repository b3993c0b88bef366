import { blake3 } from '@napi-rs/blake-hash';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Blake3TreeHasher } from './blake3.ts';
import { groupRange, outboardNodes } from './outboard.ts';
import { OutboardVerifier } from './verified-range.ts';

const group = 16_384;

type Blob = { readonly bytes: Uint8Array; readonly digest: Uint8Array; readonly outboard: Uint8Array };

function blob(length: number): Blob {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) % 251);
  const { outboard } = new Blake3TreeHasher().update(bytes).finish();
  return { bytes, digest: new Uint8Array(blake3(bytes)), outboard };
}

const sizes = [
  0,
  1,
  1024,
  group - 1,
  group,
  group + 1,
  2 * group,
  2 * group + 1,
  3 * group,
  5 * group - 7,
].concat([8 * group, 8 * group + 1, 13 * group + 100, 67 * group + 9]);
const blobs = new Map(sizes.map((size) => [size, blob(size)]));
const anyBlob = fc.constantFrom(...blobs.values());

function verifier({ bytes, digest, outboard }: Blob): OutboardVerifier {
  return new OutboardVerifier(digest, bytes.length, outboard);
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

const corrupt = expect.objectContaining({ name: 'CastoreError', code: 'corrupt' });

describe('true bytes pass', () => {
  test.each(sizes)('all groups of %i bytes, alone and together, in any order', (size) => {
    const it = blobs.get(size) ?? blob(size);
    const groups = Math.max(1, Math.ceil(size / group));
    const backwards = verifier(it);
    for (let i = groups - 1; i >= 0; i--) backwards.verify(i, it.bytes.subarray(i * group, (i + 1) * group));
    verifier(it).verify(0, it.bytes);
  });

  test('any range that is aligned', () => {
    fc.assert(
      fc.property(anyBlob, fc.nat(), fc.nat(), (it, from, length) => {
        const start = it.bytes.length === 0 ? 0 : from % it.bytes.length;
        const range = groupRange(it.bytes.length, start, start + (length % (5 * group)));
        expect(range.start).toBeLessThanOrEqual(start);
        verifier(it).verify(range.first, it.bytes.subarray(range.start, range.end));
      }),
    );
  });

  test('with the nodes of a slice only', () => {
    fc.assert(
      fc.property(anyBlob, fc.nat(), fc.nat(), (it, from, length) => {
        const start = it.bytes.length === 0 ? 0 : from % it.bytes.length;
        const end = start + (length % (9 * group));
        const slice = new OutboardVerifier(it.digest, it.bytes.length);
        const nodes = outboardNodes(it.bytes.length, start, end);
        expect(slice.missing(start, end)).toEqual(nodes);
        for (const { first, count } of nodes)
          slice.add(first, it.outboard.slice(first * 64, (first + count) * 64));
        expect(slice.missing(start, end)).toEqual([]);
        const range = groupRange(it.bytes.length, start, end);
        slice.verify(range.first, it.bytes.subarray(range.start, range.end));
      }),
    );
  });
});

describe('the nodes of a slice', () => {
  // Pre-order numbers, by hand, of a blob of 5 groups: node 0 holds (0..3, 4), 1 (0..1, 2..3), 2 (0, 1), 3 (2, 3).
  test.each([
    [0, 1, [{ first: 0, count: 3 }]],
    [
      2,
      3,
      [
        { first: 0, count: 2 },
        { first: 3, count: 1 },
      ],
    ],
    [4, 5, [{ first: 0, count: 1 }]],
    [1, 5, [{ first: 0, count: 4 }]],
    [0, 5, [{ first: 0, count: 4 }]],
  ])('of groups %i to %i of 5', (from, to, nodes) => {
    expect(outboardNodes(5 * group, from * group, to * group)).toEqual(nodes);
  });

  test('are none for a blob of one group', () => {
    expect(outboardNodes(group, 0, group)).toEqual([]);
  });

  test('are needed, every one of them', () => {
    const it = blob(13 * group);
    const nodes = outboardNodes(13 * group, 6 * group, 7 * group).flatMap(({ first, count }) =>
      Array.from({ length: count }, (_, i) => first + i),
    );
    for (const left of nodes) {
      const slice = new OutboardVerifier(it.digest, 13 * group);
      for (const node of nodes)
        if (node !== left) slice.add(node, it.outboard.slice(node * 64, node * 64 + 64));
      const verify = (): void => slice.verify(6, it.bytes.subarray(6 * group, 7 * group));
      expect(verify).toThrow(expect.objectContaining({ code: 'not-found' }));
      expect(slice.missing(6 * group, 7 * group)).toEqual([{ first: left, count: 1 }]);
      slice.add(left, it.outboard.slice(left * 64, left * 64 + 64));
      verify();
    }
  });
});

describe('false ones are refused', () => {
  test('a flipped bit of the bytes', () => {
    fc.assert(
      fc.property(anyBlob, fc.nat(), (it, n) => {
        fc.pre(it.bytes.length > 0);
        const bit = n % (it.bytes.length * 8);
        const bad = flip(it.bytes, bit);
        const at = Math.floor(bit / 8 / group);
        const one = verifier(it);
        expect(() => one.verify(at, bad.subarray(at * group, (at + 1) * group))).toThrow(corrupt);
        expect(() => one.verify(0, bad)).toThrow(corrupt);
        // The true bytes pass afterwards.
        one.verify(0, it.bytes);
      }),
    );
  });

  test('a flipped bit of the outboard', () => {
    fc.assert(
      fc.property(anyBlob, fc.nat(), (it, n) => {
        fc.pre(it.outboard.length > 0);
        const bad = new OutboardVerifier(
          it.digest,
          it.bytes.length,
          flip(it.outboard, n % (it.outboard.length * 8)),
        );
        expect(() => bad.verify(0, it.bytes)).toThrow(corrupt);
        // A second source mends it.
        bad.add(0, it.outboard);
        bad.verify(0, it.bytes);
      }),
    );
  });

  test('a flipped bit of the digest', () => {
    fc.assert(
      fc.property(anyBlob, fc.nat({ max: 255 }), (it, bit) => {
        const bad = new OutboardVerifier(flip(it.digest, bit), it.bytes.length, it.outboard);
        expect(() => bad.verify(0, it.bytes)).toThrow(corrupt);
      }),
    );
  });

  test('a node that is replaced, or changed by its giver, after it was believed', () => {
    const it = blob(4 * group);
    const outboard = it.outboard.slice();
    const one = new OutboardVerifier(it.digest, it.bytes.length, outboard);
    one.verify(0, it.bytes.subarray(0, group));
    outboard.fill(0);
    one.add(0, outboard.subarray(0, 64));
    one.verify(0, it.bytes);
  });

  test('true bytes at another place', () => {
    const bytes = new Uint8Array(4 * group);
    const { digest, outboard } = new Blake3TreeHasher().update(bytes).finish();
    const one = new OutboardVerifier(digest, bytes.length, outboard);
    one.verify(0, bytes);
    // All groups are alike, but a chaining value is bound to its place.
    const swapped = outboard.slice();
    swapped.copyWithin(64, 128, 192);
    expect(() => new OutboardVerifier(digest, bytes.length, swapped).verify(0, bytes)).toThrow(corrupt);
  });

  test('a wrong size, at the end of the blob', () => {
    const it = blob(5 * group - 7);
    for (const size of [5 * group - 8, 5 * group - 6]) {
      const one = new OutboardVerifier(it.digest, size, it.outboard);
      const last = new Uint8Array(size - 4 * group);
      last.set(it.bytes.subarray(4 * group, size));
      expect(() => one.verify(4, last)).toThrow(corrupt);
    }
    expect(() => new OutboardVerifier(it.digest, 6 * group, it.outboard)).toThrow(corrupt);
    expect(() => new OutboardVerifier(it.digest, -1, it.outboard)).toThrow(corrupt);
    expect(() => new OutboardVerifier(it.digest, 2 ** 60, it.outboard)).toThrow(corrupt);
  });

  test('too few or too many bytes, and groups that do not exist', () => {
    const it = blob(3 * group);
    const one = verifier(it);
    const check = (first: number, bytes: Uint8Array): void =>
      expect(() => one.verify(first, bytes)).toThrow(corrupt);
    check(0, it.bytes.subarray(0, group - 1));
    check(0, it.bytes.subarray(0, 0));
    check(0, it.bytes.subarray(0, group + 1));
    check(2, new Uint8Array(group + 1));
    check(3, it.bytes.subarray(0, group));
    check(-1, it.bytes.subarray(0, group));
    expect(() => one.add(0, new Uint8Array(63))).toThrow(corrupt);
    expect(() => one.add(2, new Uint8Array(64))).toThrow(corrupt);
  });

  test('the message names the blob and the bytes', () => {
    const it = blob(3 * group);
    const hex = Array.from(it.digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    expect(() => verifier(it).verify(1, new Uint8Array(group))).toThrow(
      `bytes 16384 to 32768 of blob ${hex}`,
    );
  });
});
