/**
 * Decompression of what the programs gzip, xz and bzip2 wrote and of frames built by hand after RFC 8878: several
 * members in a row, in chunks of any size, cut off, damaged, and bombs.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompressionFormat } from '../archive/compression-format.ts';
import { CastoreError } from '../castore-error.ts';
import { compress } from './compress.ts';
import { decompress } from './decompress.ts';
import { decodeZstdInJavaScript } from './decode-zstd.ts';

async function* inChunks(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

function program(name: string, args: readonly string[], input: Uint8Array) {
  const { status, stdout } = spawnSync(name, args, { input, maxBuffer: 2 ** 28 });
  return status === 0 ? stdout : undefined;
}

/** Half noise, half text, with runs that bzip2 treats apart. */
const noise = Buffer.concat(
  Array.from({ length: 9000 }, (_, index) => createHash('sha256').update(`${index}`).digest()),
);
const sample = Buffer.concat([
  noise,
  Buffer.alloc(300_000, 'neve '),
  Buffer.alloc(1_000_000),
  noise.subarray(0, 77),
]);

const programs: readonly (readonly [CompressionFormat, string, readonly string[]])[] = [
  ['gzip', 'gzip', ['-c']],
  ['gzip', 'gzip', ['-c', '-1']],
  ['xz', 'xz', ['-c', '-1']],
  ['xz', 'xz', ['-c', '-6', '--check=crc32', '--block-size=500000']],
  ['xz', 'xz', ['-c', '-1', '--check=sha256']],
  ['xz', 'xz', ['-c', '--lzma2=preset=0,dict=96MiB']],
  ['xz', 'xz', ['-c', '--x86', '--lzma2=preset=1']],
  ['bzip2', 'bzip2', ['-c']],
  ['bzip2', 'bzip2', ['-c', '-1']],
];

describe.each(programs)('%s of %s %s (skipped where the program is missing)', (format, name, args) => {
  const one = program(name, args, sample);
  const bytes = (): Uint8Array => {
    if (one === undefined) throw new Error(`${name} is not there`);
    return one;
  };
  const check = one === undefined ? test.skip : test;

  check.each([1 << 16, 1000])('in chunks of %i', async (size) => {
    expect((await collect(decompress(inChunks(bytes(), size), 'auto'))).equals(sample)).toBe(true);
  });

  check('two and an empty one in a row', async () => {
    const all = Buffer.concat([bytes(), program(name, args, Buffer.alloc(0)) ?? new Uint8Array(0), bytes()]);
    expect((await collect(decompress(inChunks(all), 'auto'))).equals(Buffer.concat([sample, sample]))).toBe(
      true,
    );
  });

  check.each([0.2, 0.5, 0.999])('cut off at %f', async (part) => {
    const short = bytes().subarray(0, bytes().length * part);
    await expect(collect(decompress(inChunks(short), 'auto'))).rejects.toMatchObject({
      code: 'invalid-archive',
      message: expect.stringContaining(format),
    });
  });

  check('damaged', async () => {
    const bad = Buffer.from(bytes());
    bad.fill(0x55, 100_000, 100_010);
    await expect(collect(decompress(inChunks(bad), format))).rejects.toMatchObject({
      code: 'invalid-archive',
    });
  });

  check('more than allowed', async () => {
    const all = decompress(inChunks(bytes()), format, { maxBytes: sample.length - 1 });
    await expect(collect(all)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect((await collect(decompress(inChunks(bytes()), format, { maxBytes: sample.length }))).length).toBe(
      sample.length,
    );
  });

  check('leaving the loop closes the source', async () => {
    let closed = false;
    const source = async function* (): AsyncGenerator<Uint8Array, void, void> {
      try {
        yield* inChunks(bytes(), 100_000);
      } finally {
        closed = true;
      }
    };
    for await (const piece of decompress(source(), format)) if (piece.length > 0) break;
    expect(closed).toBe(true);
  });

  check('what the source throws goes through', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield bytes().subarray(0, 50_000);
      throw new Error('the network is gone');
    };
    await expect(collect(decompress(source(), format))).rejects.toThrow(/^the network is gone$/);
  });
});

test('many at once', async () => {
  const compressed = await collect(compress(inChunks(sample), 'xz', 0));
  const all = await Promise.all(
    Array.from({ length: 5 }, () => collect(decompress(inChunks(compressed, 9999), 'xz'))),
  );
  expect(all.every((it) => it.equals(sample))).toBe(true);
});

describe('zstd', () => {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  const skippable = [0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9];
  /** A frame of one segment and its size in a byte; blocks are `size << 3 | type << 1 | last`. */
  const raw = [...magic, 0x20, 3, (3 << 3) | 1, 0, 0, 0x61, 0x62, 0x63];
  const repeated = [...magic, 0x20, 5, (5 << 3) | (1 << 1) | 1, 0, 0, 0x7a];
  const decoders = [
    ['here', (source: AsyncIterable<Uint8Array>) => decompress(source, 'zstd')],
    ['in JavaScript', decodeZstdInJavaScript],
  ] as const;

  describe.each(decoders)('%s', (_, decoder) => {
    test.each<readonly [string, readonly number[], string]>([
      ['a raw block', raw, 'abc'],
      ['a repeated byte', repeated, 'zzzzz'],
      ['frames in a row', [...raw, ...repeated, ...raw], 'abczzzzzabc'],
      ['frames to be skipped', [...skippable, ...raw, ...skippable], 'abc'],
    ])('%s', async (__, bytes, expected) => {
      for (const size of [1, 5, 100]) {
        expect((await collect(decoder(inChunks(Uint8Array.from(bytes), size)))).toString()).toBe(expected);
      }
    });

    test.each([5, 8, 11])('cut off after %i bytes', async (length) => {
      await expect(collect(decoder(inChunks(Uint8Array.from(raw.slice(0, length)))))).rejects.toThrow();
    });

    test('a window of terabytes', async () => {
      const frame = Uint8Array.from([...magic, 0, 0xff, ...raw.slice(6)]);
      await expect(collect(decoder(inChunks(frame)))).rejects.toThrow();
    });

    test('whole trees', async () => {
      const compressed = await collect(compress(inChunks(sample), 'zstd'));
      expect((await collect(decoder(inChunks(compressed, 777)))).equals(sample)).toBe(true);
    });
  });
});

/** Of the programs lz4 1.9.4, lzip 1.23 and xz 5.4.1, for a line of text. */
describe.each<readonly [CompressionFormat, string]>([
  ['lz4', 'BCJNGGRApw8AAABuaGVsbG8gBgBQd29ybGQAAAAA5fxq0Q=='],
  ['lzip', 'TFpJUAEMADQZSe6N6VYMYSpva9MppiFf/+9yAAAzZTQ0HQAAAAAAAAAxAAAAAAAAAA=='],
  ['lzma', 'XQAAgAD//////////wA0GUnujelWDGEqb2vTKaYhX//vcgAA'],
])('a file of %s', (format, base64) => {
  const bytes = Buffer.from(base64, 'base64');

  test.each([1, 7, 100])('in chunks of %i', async (size) => {
    expect((await collect(decompress(inChunks(bytes, size), 'auto'))).toString()).toBe(
      'hello hello hello hello world',
    );
  });

  test('cut off anywhere', async () => {
    for (let length = 11; length < bytes.length; length++) {
      await expect(collect(decompress(inChunks(bytes.subarray(0, length)), format))).rejects.toMatchObject({
        code: 'invalid-archive',
      });
    }
  });

  test.runIf(format !== 'lzma')('with any bit changed gives nothing else', async () => {
    for (let bit = 48; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = await collect(decompress(inChunks(changed), format)).catch((it: unknown) => it);
      // The last bits of LZMA say nothing.
      if (result instanceof Buffer) expect(result.toString()).toBe('hello hello hello hello world');
      else expect(result).toBeInstanceOf(CastoreError);
    }
  });
});

describe.each<readonly [CompressionFormat, string, readonly string[]]>([
  ['lz4', 'lz4', ['-c']],
  ['lz4', 'lz4', ['-c', '-9', '-BX', '-BD', '--content-size']],
  ['lzip', 'lzip', ['-c']],
  ['lzma', 'xz', ['-c', '-1', '--format=lzma']],
])('%s of %s %s (skipped where the program is missing)', (format, name, args) => {
  const bytes = program(name, args, sample);

  test.runIf(bytes !== undefined)('is read, and writes what the program reads', async () => {
    const whole = bytes ?? new Uint8Array(0);
    expect((await collect(decompress(inChunks(whole, 100_000), 'auto'))).equals(sample)).toBe(true);
    const own = await collect(compress(inChunks(sample), format, 1));
    const back = ['-dc', ...args.filter((it) => it.startsWith('--format'))];
    expect(program(name, back, own)?.equals(sample)).toBe(true);
  });
});

test('frames of lz4 one after another', async () => {
  const frame = Buffer.from('BCJNGGRApw8AAABuaGVsbG8gBgBQd29ybGQAAAAA5fxq0Q==', 'base64');
  const skipped = Buffer.from('502a4d1803000000616263', 'hex');
  const all = Buffer.concat([frame, skipped, frame]);
  expect((await collect(decompress(inChunks(all, 5), 'lz4'))).toString()).toBe(
    'hello hello hello hello world'.repeat(2),
  );
});

describe('compress', () => {
  test.each<readonly [CompressionFormat, string]>([
    ['gzip', 'gzip'],
    ['xz', 'xz'],
    ['bzip2', 'bzip2'],
  ])('%s is read by the program', async (format, name) => {
    const bytes = await collect(compress(inChunks(sample), format, 1));
    expect(program(name, ['-dc'], bytes)?.equals(sample)).toBe(true);
  });

  test.each<CompressionFormat>([
    'none',
    'gzip',
    'bzip2',
    'xz',
    'zstd',
    'brotli',
    'lz4',
    'lzip',
    'lzma',
    'compress',
    'lzop',
  ])('%s, there and back', async (format) => {
    for (const bytes of [sample, Buffer.alloc(0)]) {
      const compressed = await collect(
        compress(inChunks(bytes), format, format === 'brotli' ? 5 : undefined),
      );
      expect((await collect(decompress(inChunks(compressed), format))).equals(bytes)).toBe(true);
      if (format !== 'brotli')
        expect((await collect(decompress(inChunks(compressed), 'auto'))).equals(bytes)).toBe(true);
    }
  });
});

test('brotli by name', async () => {
  expect((await collect(decompress(inChunks(brotliCompressSync(sample)), 'brotli'))).equals(sample)).toBe(
    true,
  );
});

test('a file that only begins like bzip2 is none', async () => {
  const text = Buffer.from('BZh9 is how bzip2 begins');
  expect((await collect(decompress(inChunks(text, 3), 'auto'))).equals(text)).toBe(true);
});

test.each<CompressionFormat>([
  'gzip',
  'bzip2',
  'xz',
  'zstd',
  'brotli',
  'lz4',
  'lzip',
  'lzma',
  'compress',
  'lzop',
])('noise as %s', async (format) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.boolean(),
      async (bytes, withStart) => {
        const valid = withStart
          ? await collect(compress(inChunks(Buffer.from('neve neve')), format === 'bzip2' ? 'gzip' : format))
          : Buffer.alloc(0);
        const damaged = Buffer.concat([valid.subarray(0, 12), bytes]);
        const result = await collect(decompress(inChunks(damaged), format, { maxBytes: 2 ** 24 })).catch(
          (it: unknown) => it,
        );
        expect(Buffer.isBuffer(result) || result instanceof CastoreError, String(result)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('bombs stop at the limit, in little memory', async () => {
  let bomb: Uint8Array = gzipSync(Buffer.alloc(2 ** 26));
  for (let copies = 0; copies < 5; copies++) bomb = Buffer.concat([bomb, bomb]);
  await expect(collect(decompress(inChunks(bomb), 'auto', { maxBytes: 2 ** 20 }))).rejects.toMatchObject({
    code: 'limit-exceeded',
  });
});
