import { concatBytes, equalBytes } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChunkSizes, Chunker, chunkSizes } from './chunker.ts';
import { hashCore } from './hash-core.ts';

/** The low bytes of Marsaglia's xorshift32 (13, 17, 5), from a seed which is not 0. */
function pseudoRandomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 255;
  }
  return bytes;
}

function chunksOf(
  bytes: Uint8Array,
  sizes?: ChunkSizes,
  pieces: readonly number[] = [bytes.length],
): Uint8Array[] {
  const chunker = new Chunker(sizes);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const piece = bytes.slice(at, at + Math.max(1, pieces[i % pieces.length] ?? 0));
    chunks.push(...chunker.push(piece).map((chunk) => chunk.slice()));
    at += piece.length;
    piece.fill(0xff);
  }
  const last = chunker.end();
  return last === undefined ? chunks : [...chunks, last];
}

const lengthsOf = (chunks: readonly Uint8Array[]): readonly number[] => chunks.map(({ length }) => length);

test('the gear table is the published one', () => {
  const { gear } = hashCore();
  expect([0, 1, 127, 128, 255].map((byte) => gear[byte])).toEqual([
    0x3b5d3c7d207e37dcn,
    0x784d68ba91123086n,
    0x562f21555458339an,
    0xc0ce47f889336346n,
    0xaabd2b2a451504e1n,
  ]);
});

describe('the borders are those of the fastcdc crate', () => {
  // Lengths of the chunks that fastcdc 3.1.0, `v2020::StreamCDC::new`, makes of these bytes.
  const cases: readonly [string, () => Uint8Array, ChunkSizes, readonly number[]][] = [
    [
      'the default sizes, an odd length',
      () => pseudoRandomBytes(5_000_001, 1),
      chunkSizes(262_144),
      [
        524288, 334031, 513450, 334333, 307917, 341086, 312893, 262326, 288302, 280013, 280909, 312231,
        498582, 378065, 31575,
      ],
    ],
    [
      'the default sizes',
      () => pseudoRandomBytes(5_000_000, 0x12345678),
      chunkSizes(262_144),
      [
        252532, 524288, 172819, 371226, 490436, 303243, 315293, 483050, 269383, 520090, 445428, 241997,
        350716, 259499,
      ],
    ],
    [
      'small chunks',
      () => pseudoRandomBytes(8193, 7),
      { minBytes: 128, averageBytes: 256, maxBytes: 1024 },
      [
        275, 330, 393, 197, 152, 488, 172, 165, 322, 527, 129, 264, 750, 295, 256, 350, 194, 529, 345, 317,
        171, 162, 369, 140, 380, 319, 202,
      ],
    ],
    [
      'odd sizes',
      () => pseudoRandomBytes(8191, 7),
      { minBytes: 127, averageBytes: 257, maxBytes: 1025 },
      [
        275, 330, 393, 197, 152, 488, 172, 487, 527, 393, 750, 295, 256, 350, 194, 529, 345, 317, 171, 190,
        341, 149, 371, 319, 200,
      ],
    ],
    [
      'an average of 8 KiB',
      () => pseudoRandomBytes(200_000, 9),
      { minBytes: 4096, averageBytes: 8192, maxBytes: 16_384 },
      [
        16384, 8347, 12613, 9236, 9840, 12552, 4641, 10166, 10829, 12211, 7242, 16384, 16384, 5912, 13244,
        4710, 9552, 9652, 8671, 1430,
      ],
    ],
    [
      'the largest sizes',
      () => pseudoRandomBytes(30_000_000, 3),
      { minBytes: 1_048_576, averageBytes: 4_194_304, maxBytes: 16_777_216 },
      [3296218, 7510157, 5028224, 6569623, 7595778],
    ],
    ['zeros', () => new Uint8Array(2_000_001), chunkSizes(262_144), [524288, 524288, 524288, 427137]],
    // This one is a test of the crate itself.
    [
      'zeros in small chunks',
      () => new Uint8Array(10_240),
      { minBytes: 64, averageBytes: 256, maxBytes: 1024 },
      Array.from({ length: 10 }, () => 1024),
    ],
  ];

  test.each(cases)('%s', (_, input, sizes, lengths) => {
    const bytes = input();
    expect(lengthsOf(chunksOf(bytes, sizes))).toEqual(lengths);
    expect(lengthsOf(chunksOf(bytes, sizes, [65_536]))).toEqual(lengths);
    expect(lengthsOf(chunksOf(bytes, sizes, [997, 65_537, 31]))).toEqual(lengths);
  });
});

describe('chunking', () => {
  const small = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };
  const pieces = fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 12 });

  test('gives all bytes, in chunks of allowed sizes, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20_000 }), fc.integer({ min: 1 }), pieces, (length, seed, cuts) => {
        const bytes = pseudoRandomBytes(length, seed);
        const chunks = chunksOf(bytes, small, cuts);
        expect(equalBytes(concatBytes(chunks), bytes)).toBe(true);
        expect(lengthsOf(chunks)).toEqual(lengthsOf(chunksOf(bytes, small)));
        const isAllowed = (size: number): boolean => size >= small.minBytes && size <= small.maxBytes;
        expect(lengthsOf(chunks.slice(0, -1)).filter((size) => !isAllowed(size))).toEqual([]);
        expect(chunks.at(-1)?.length ?? 1).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  test('byte by byte', () => {
    const bytes = pseudoRandomBytes(30_001, 11);
    expect(chunksOf(bytes, small, [1])).toEqual(chunksOf(bytes, small));
  });

  test('finds its way back after an insertion', () => {
    const bytes = pseudoRandomBytes(100_000, 5);
    const longer = concatBytes([bytes.subarray(0, 5000), new Uint8Array(3), bytes.subarray(5000)]);
    const known = new Set(chunksOf(bytes, small).map(String));
    const fresh = chunksOf(longer, small).filter((chunk) => !known.has(String(chunk)));
    expect(fresh.length).toBeLessThan(20);
  });

  test('two chunkers at once do not disturb each other', () => {
    const inputs = [pseudoRandomBytes(50_000, 21), pseudoRandomBytes(50_000, 22)];
    const chunkers = inputs.map(() => new Chunker(small));
    const lengths: number[][] = inputs.map(() => []);
    for (let at = 0; at < 50_000; at += 333) {
      chunkers.forEach((chunker, i) => {
        const piece = (inputs[i] ?? new Uint8Array()).subarray(at, at + 333);
        lengths[i]?.push(...lengthsOf(chunker.push(piece)));
      });
    }
    chunkers.forEach((chunker, i) => lengths[i]?.push(chunker.end()?.length ?? 0));
    expect(lengths).toEqual(inputs.map((input) => lengthsOf(chunksOf(input, small))));
  });

  test('of nothing is nothing', () => {
    const chunker = new Chunker();
    expect(chunker.push(new Uint8Array())).toEqual([]);
    expect(chunker.end()).toBeUndefined();
  });

  test('refuses sizes which the crate does not take, or which contradict each other', () => {
    const check = (minBytes: number, averageBytes: number, maxBytes: number): void =>
      expect(() => new Chunker({ minBytes, averageBytes, maxBytes })).toThrow(
        expect.objectContaining({ code: 'unsupported' }),
      );
    check(63, 256, 1024);
    check(64, 255, 1024);
    check(64, 256, 1023);
    check(1024, 512, 2048);
    check(64, 256.5, 1024);
    check(262_144, 4_194_305, 16_777_216);
  });
});
