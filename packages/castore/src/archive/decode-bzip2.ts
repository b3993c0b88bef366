/**
 * Decodes bzip2, any number of streams one after another, as bzip2 and pbzip2 write them.
 *
 *     stream = "BZh" level:"1".."9" (0x314159265359 crc:32 block)* 0x177245385090 crc:32 padding to a byte
 *
 * Blocks are not aligned to bytes and do not say how long they are, so one is decoded when as many bytes are at hand
 * as any block can take, or the input has ended. At most one block is in memory: 5 bytes for each of its 900,000.
 */
import { concatBytes } from '@neve/bytes';
import { BitReader, OutOfBits, expandBzip2Block, readBzip2Block } from './bzip2-block.ts';
import { ByteSource } from './byte-source.ts';

const blockUnit = 100_000;

/** Throws a plain `Error` whose message fits behind "damaged: ". Leaving the loop lets the source go. */
export async function* decodeBzip2(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(source);
  const bits = new BufferedBits(input);
  try {
    for (let first = true; ; first = false) {
      await bits.require(4);
      // As bzip2 does, what stands behind a stream and is none is ignored.
      if (bits.isEmpty && !first) return;
      const level = readLevel(bits.reader());
      if (level === undefined) {
        if (first) throw new Error('it does not begin as bzip2 does');
        return;
      }
      bits.advance(32);
      yield* decodeStream(bits, level);
    }
  } finally {
    await input.close();
  }
}

async function* decodeStream(bits: BufferedBits, level: number): AsyncGenerator<Uint8Array, void, void> {
  const next = new Uint32Array(level * blockUnit);
  let streamCrc = 0;
  for (;;) {
    // A block that cannot be compressed grows by a little and its tables; this is more than any can have.
    await bits.require(level * blockUnit * 1.25 + 40_000);
    const reader = bits.reader();
    const start = reader.bitOffset;
    const mark = [reader.read(24), reader.read(24)];
    const crc = reader.read32();
    if (mark[0] === 0x177245 && mark[1] === 0x385090) {
      if (crc !== streamCrc) throw new Error('its checksum is wrong');
      bits.advance(reader.bitOffset - start);
      bits.align();
      return;
    }
    if (mark[0] !== 0x314159 || mark[1] !== 0x265359)
      throw new Error('it has something else where a block should be');
    const block = readBzip2Block(reader, next);
    bits.advance(reader.bitOffset - start);
    const actual = yield* expandBzip2Block(block);
    if (actual !== crc) throw new Error('the checksum of a block is wrong');
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
  }
}

function readLevel(reader: BitReader): number | undefined {
  try {
    if (reader.read(24) !== 0x425a68) return undefined;
    const level = reader.read(8) - 0x30;
    return level >= 1 && level <= 9 ? level : undefined;
  } catch (error) {
    if (error instanceof OutOfBits) return undefined;
    throw error;
  }
}

/** The bytes at hand, and how many of their bits are used up. */
class BufferedBits {
  readonly #input: ByteSource;
  #bytes: Uint8Array = new Uint8Array(0);
  #bitOffset = 0;

  constructor(input: ByteSource) {
    this.#input = input;
  }

  get isEmpty(): boolean {
    return this.#bitOffset === this.#bytes.length * 8;
  }

  /** Makes `count` bytes available, or all that are left. */
  async require(count: number): Promise<void> {
    const used = this.#bitOffset >>> 3;
    const missing = count + 1 - (this.#bytes.length - used);
    if (missing <= 0) return;
    const more = await this.#input.read(Math.max(Math.ceil(missing), 1 << 16));
    this.#bytes = concatBytes([this.#bytes.subarray(used), more]);
    this.#bitOffset &= 7;
  }

  reader(): BitReader {
    return new BitReader(this.#bytes, this.#bitOffset);
  }

  advance(bits: number): void {
    this.#bitOffset += bits;
  }

  align(): void {
    this.#bitOffset = (this.#bitOffset + 7) & ~7;
  }
}
