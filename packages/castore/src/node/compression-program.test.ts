/**
 * compress, lzop, lrzip and grzip against the programs of those names (Debian: ncompress, lzop, lrzip; grzip has no package).
 * Where one is missing, its tests say so in their names.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CompressionFormat } from '../archive/compression-format.ts';
import { adler32, crc32 } from '../archive/archive-checksums.ts';
import { compress } from './compress.ts';
import { decompress } from './decompress.ts';

async function* inChunks(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

function run([name, ...args]: readonly [string, ...string[]], input: Uint8Array): Buffer | undefined {
  const { status, stdout } = spawnSync(name, args, { input, maxBuffer: 2 ** 28 });
  return status === 0 ? stdout : undefined;
}

/** What compresses badly, well, and badly again: LZW empties its table in between. */
const noise = Buffer.concat(
  Array.from({ length: 9000 }, (_, index) => createHash('sha256').update(`${index}`).digest()),
);
const texts = Array.from({ length: 40_000 }, (_, index) => `${index % 977} neve ${index * 7919}\n`).join('');
const samples: Readonly<Record<string, Buffer>> = {
  'much of everything': Buffer.concat([noise, Buffer.from(texts), Buffer.alloc(1_000_000), noise]),
  'one byte': Buffer.from('a'),
  'a run': Buffer.alloc(70_000, 'a'),
  'short texts': Buffer.from(texts.slice(0, 3000)),
};

type Command = readonly [string, ...string[]];

const rows: readonly (readonly [CompressionFormat, Command, Command])[] = [
  ['compress', ['compress', '-f', '-c'], ['compress', '-dc']],
  ['compress', ['compress', '-f', '-c', '-b', '10'], ['gzip', '-dc']],
  ['compress', ['compress', '-f', '-c', '-b', '12'], ['uncompress', '-c']],
  ['lzop', ['lzop', '-c'], ['lzop', '-dc']],
  ['lzop', ['lzop', '-c', '-1', '--crc32'], ['lzop', '-dc']],
  ['lzop', ['lzop', '-c', '-9', '-CC'], ['lzop', '-dc']],
  ['lzop', ['lzop', '-c', '-F'], ['lzop', '-dc']],
  ['lrzip', ['lrzip', '-q'], ['lrzip', '-d', '-q']],
  ['lrzip', ['lrzip', '-q', '-l'], ['lrzip', '-d', '-q']],
  ['grzip', ['grzip'], ['grzip', '-d']],
];

function isThere([name]: Command): boolean {
  return spawnSync(name, ['--version']).error === undefined;
}

describe.each(rows)('%s of %j', (format, write, read) => {
  const check = isThere(write) && isThere(read) ? test : test.skip;

  // lrzip takes half a minute for what is long.
  const few = Object.entries(samples).filter(([, it]) => format !== 'lrzip' || it.length < 70_000);

  check.each(few)(`%s (skipped where ${write[0]} is missing)`, async (_, sample) => {
    const theirs = run(write, sample);
    expect(theirs).toBeDefined();
    for (const name of ['auto', format] as const) {
      expect((await collect(decompress(inChunks(theirs ?? noise, 1009), name))).equals(sample)).toBe(true);
    }
    const ours = await collect(compress(inChunks(sample, 100_003), format));
    expect(run(read, ours)?.equals(sample)).toBe(true);
  });
});

test.skipIf(!isThere(['compress']))(
  'texts of any kind, by compress (skipped where it is missing)',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 120_000 }),
        async (alphabet, length) => {
          const sample = randomBytes(length).map((it) => it % alphabet);
          const ours = await collect(compress(inChunks(sample, 777), 'compress'));
          expect(run(['compress', '-dc'], ours)?.equals(sample)).toBe(true);
          const theirs = run(['compress', '-f', '-c'], sample) ?? noise;
          expect((await collect(decompress(inChunks(theirs, 777), 'compress'))).equals(sample)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  },
);

test.skipIf(!isThere(['lzop']))(
  'lzop: cut off, changed, one after another (skipped where it is missing)',
  async () => {
    const sample = samples['short texts'] ?? noise;
    const whole = run(['lzop', '-c'], sample) ?? noise;
    expect((await collect(decompress(inChunks(Buffer.concat([whole, whole])), 'lzop'))).length).toBe(
      2 * sample.length,
    );
    for (let length = 0; length < whole.length; length += 7) {
      const short = decompress(inChunks(whole.subarray(0, length)), 'lzop');
      await expect(collect(short)).rejects.toMatchObject({ code: 'invalid-archive' });
    }
    for (let bit = 80; bit < whole.length * 8; bit += 13) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = await collect(decompress(inChunks(changed), 'lzop')).catch(() => sample);
      expect(result.equals(sample)).toBe(true);
    }
  },
);

test('a code of LZW that stands for nothing', async () => {
  const bytes = Buffer.from('1f9d9061fe03', 'hex');
  await expect(collect(decompress(inChunks(bytes), 'compress'))).rejects.toMatchObject({
    code: 'invalid-archive',
    message: expect.stringContaining('stands for nothing'),
  });
});

// The check values of both that are published for these nine digits.
test('checksums', () => {
  const digits = Buffer.from('123456789');
  expect(crc32(digits)).toBe(0xcbf4_3926);
  expect(adler32(digits)).toBe(0x091e_01de);
  expect(crc32(digits.subarray(4), crc32(digits.subarray(0, 4)))).toBe(0xcbf4_3926);
  expect(adler32(digits.subarray(4), adler32(digits.subarray(0, 4)))).toBe(0x091e_01de);
});

describe('a program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'neve-programs-'));
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(join(folder, 'grzip'), { force: true });
  });

  function install(script: string): void {
    writeFileSync(join(folder, 'grzip'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'grzip'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  }

  test('that is not there is named', async () => {
    vi.stubEnv('PATH', folder);
    for (const action of [compress, decompress]) {
      await expect(collect(action(inChunks(noise), 'grzip'))).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('needs the program grzip: install it'),
      });
    }
  });

  test('gets what libarchive gives it', async () => {
    install('if [ "$*" = -d ]; then exec gzip -dc; elif [ $# = 0 ]; then exec gzip -c; else exit 9; fi');
    const written = await collect(compress(inChunks(noise), 'grzip', 1));
    expect((await collect(decompress(inChunks(written), 'grzip'))).equals(noise)).toBe(true);
  });

  test('that fails after its output has not said the truth', async () => {
    install('head -c 1000; exit 3');
    await expect(collect(decompress(inChunks(noise), 'grzip'))).rejects.toMatchObject({
      code: 'invalid-archive',
      message: expect.stringContaining('exit status 3'),
    });
    await expect(collect(compress(inChunks(noise), 'grzip'))).rejects.toMatchObject({ code: 'io' });
  });

  test('ends with the loop', async () => {
    install('cat; echo done >&2');
    for await (const piece of decompress(inChunks(noise), 'grzip')) if (piece.length > 0) break;
    await expect(collect(decompress(inChunks(noise), 'grzip', { maxBytes: 5 }))).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
  });
});
