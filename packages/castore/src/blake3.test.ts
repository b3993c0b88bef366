import { blake3 } from '@napi-rs/blake-hash';
import { encodeHex } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyBlobDigest } from './b3-digest.ts';
import { Blake3TreeHasher, hashBlake3 } from './blake3.ts';
import { hashCore } from './hash-core.ts';
import { outboardLength } from './outboard.ts';

/** The inputs of BLAKE3's published test vectors. */
function vectorInput(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

/** The lengths of the published test vectors, and those around the borders of blocks, chunks and groups. */
const lengths = [
  ...[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 4096,
    4097,
  ],
  ...[5120, 5121, 6144, 6145, 7168, 7169, 8192, 8193, 9216, 11264, 13312, 15360, 15361, 16383, 16384, 16385],
  ...[
    31744, 32767, 32768, 32769, 49152, 49153, 65535, 65536, 65537, 81920, 98305, 102400, 131072, 131073,
    1_000_001,
  ],
];

const splits = fc.array(fc.nat({ max: 40_000 }), { minLength: 1, maxLength: 20 });

function updateInPieces(hasher: Blake3TreeHasher, bytes: Uint8Array, pieces: readonly number[]): void {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const piece = pieces[i % pieces.length] ?? 0;
    // The hasher must not rely on bytes that it was given before.
    const copy = bytes.slice(at, at + piece + (i % pieces.length === 0 ? 1 : 0));
    hasher.update(copy);
    at += copy.length;
    copy.fill(0xff);
  }
}

describe('the digest', () => {
  test.each([
    [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
    [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
    [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
    [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
    [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
    [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
    [31744, '62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47'],
    [102400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
  ])('of %i bytes is the published one', (length, hex) => {
    expect(encodeHex(hashBlake3(vectorInput(length)))).toBe(hex);
  });

  test('of no bytes is known without hashing', () => {
    expect(emptyBlobDigest.bytes).toEqual(hashBlake3(new Uint8Array()));
  });

  test.each(lengths)('of %i bytes is that of the native library', (length) => {
    const bytes = vectorInput(length);
    const expected = encodeHex(blake3(bytes));
    expect(encodeHex(hashBlake3(bytes))).toBe(expected);
    expect(encodeHex(new Blake3TreeHasher().update(bytes).finish().digest)).toBe(expected);
  });

  test('does not depend on what was hashed before', () => {
    hashBlake3(new Uint8Array(16_384).fill(0xff));
    for (const length of [1, 65, 1000, 5000]) {
      expect(hashBlake3(vectorInput(length))).toEqual(new Uint8Array(blake3(vectorInput(length))));
    }
  });

  test('does not depend on the pieces', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200_000 }), splits, (length, pieces) => {
        const bytes = vectorInput(length);
        const hasher = new Blake3TreeHasher();
        updateInPieces(hasher, bytes, pieces);
        const { digest, size, outboard } = hasher.finish();
        expect(encodeHex(digest)).toBe(encodeHex(blake3(bytes)));
        expect(size).toBe(length);
        expect(outboard).toEqual(new Blake3TreeHasher().update(bytes).finish().outboard);
      }),
      { numRuns: 50 },
    );
  });

  test('two hashers at once do not disturb each other', () => {
    const [left, right] = [new Blake3TreeHasher(), new Blake3TreeHasher()];
    const bytes = vectorInput(100_000);
    for (let at = 0; at < bytes.length; at += 7777) {
      left.update(bytes.subarray(at, at + 7777));
      right.update(bytes.subarray(at, at + 7777).map((byte) => 255 - byte));
    }
    expect(encodeHex(left.finish().digest)).toBe(encodeHex(blake3(bytes)));
    expect(encodeHex(right.finish().digest)).toBe(encodeHex(blake3(bytes.map((byte) => 255 - byte))));
  });
});

test('chunks behind 4 TiB: one lane and four agree on a counter of more than 32 bits', () => {
  const core = hashCore();
  const bytes = vectorInput(16_384);
  for (const group of [2 ** 28 - 1, 2 ** 28, 2 ** 36 + 5]) {
    core.input.set(bytes);
    core.hashGroups(1, group);
    const four = core.output.slice(0, 32);
    // The last chunk of a last group is hashed alone.
    core.hashLastGroup(16_384, group, false);
    expect(core.output.slice(0, 32)).toEqual(four);
    core.hashGroups(1, group % 2 ** 28);
    if (group >= 2 ** 28) expect(core.output.slice(0, 32)).not.toEqual(four);
  }
});

describe('the outboard', () => {
  /** Reads `tree(groups)` of the grammar in outboard.ts: the hash of its root, and how many nodes it took. */
  function readTree(nodes: Uint8Array, groups: Uint8Array[], isRoot: boolean): Uint8Array {
    const only = groups[0];
    if (groups.length === 1 && only !== undefined) return only;
    let left = 1;
    while (left * 2 < groups.length) left *= 2;
    const children = nodes.subarray(0, 64);
    const below = nodes.subarray(64);
    expect(children.slice(0, 32)).toEqual(readTree(below, groups.slice(0, left), false));
    expect(children.slice(32)).toEqual(readTree(below.subarray((left - 1) * 64), groups.slice(left), false));
    const core = hashCore();
    core.input.set(children);
    core.hashParents(1, isRoot);
    return core.output.slice(0, 32);
  }

  test.each([0, 1, 16_384])('of %i bytes is empty', (length) => {
    expect(new Blake3TreeHasher().update(vectorInput(length)).finish().outboard).toHaveLength(0);
  });

  test.each([2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 100])(
    'of %i groups is the tree in pre-order',
    (count) => {
      // The digest is the native library's, so that a wrong node would be a collision of BLAKE3.
      for (const length of [(count - 1) * 16_384 + 1, count * 16_384]) {
        const bytes = vectorInput(length);
        const { digest, outboard } = new Blake3TreeHasher().update(bytes).finish();
        expect(outboard).toHaveLength((count - 1) * 64);
        expect(outboardLength(length)).toBe((count - 1) * 64);
        const groups = Array.from({ length: count }, (_, group) => {
          const core = hashCore();
          const part = bytes.subarray(group * 16_384, (group + 1) * 16_384);
          core.input.set(part);
          core.hashLastGroup(part.length, group, false);
          return core.output.slice(0, 32);
        });
        expect(readTree(outboard, groups, true)).toEqual(digest);
        expect(encodeHex(digest)).toBe(encodeHex(blake3(bytes)));
      }
    },
  );

  test('of more groups than are merged in one call', () => {
    const bytes = new Uint8Array(16_384 * 2051 + 5).fill(7);
    const { digest, outboard } = new Blake3TreeHasher().update(bytes).finish();
    expect(encodeHex(digest)).toBe(encodeHex(blake3(bytes)));
    expect(outboard).toHaveLength(2051 * 64);
  });
});
