/**
 * Decodes frames of LZ4, any number of them one after another, and those that are to be skipped. Blocks of the older
 * format, which `lz4 -l` writes, are not frames and are refused. Every checksum that is there is looked at.
 *
 *     magic 04 22 4d 18 | FLG | BD | content size: 8? | dictionary: 4? | checksum of the header: 1
 *     block: length: 4, its highest bit for bytes as they are | data | checksum: 4?
 *     end: 0: 4 | checksum of the content: 4?
 *
 * Described in "LZ4 Frame Format" 1.6.4 and "LZ4 Block Format". Numbers are little-endian, checksums are XXH32.
 */
import { ByteSource } from './byte-source.ts';
import { XxHash32 } from './xx-hash-32.ts';

const frameMagic = 0x184d_2204;
const skippableMagic = 0x184d_2a50;
const historySize = 1 << 16;
const rawBlock = 0x8000_0000;
const flag = {
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};

/** A piece is used until the next one is asked for. Throws a plain `Error` whose message fits behind "damaged: ". */
export async function* decodeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(source);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const head = await input.read(4);
      if (head.length === 0 && !isFirst) return;
      const magic = numberAt(exactly(head, 4), 0);
      if (magic === frameMagic) yield* decodeFrame(input);
      else if ((magic & 0xffff_fff0) >>> 0 === skippableMagic) await skipFrame(input);
      else throw new Error('it does not begin with a frame');
    }
  } finally {
    await input.close();
  }
}

async function skipFrame(input: ByteSource): Promise<void> {
  const length = numberAt(await readExactly(input, 4), 0);
  if (!(await input.skip(length))) throw new Error(cutOff);
}

type FrameHeader = {
  readonly flags: number;
  readonly maxBlock: number;
  readonly contentSize: bigint | undefined;
};

async function readHeader(input: ByteSource): Promise<FrameHeader> {
  const start = (await readExactly(input, 2)).slice();
  const [flags = 0, sizes = 0] = start;
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0 || (sizes & 0x8f) !== 0)
    throw new Error('the frame is of an unknown version');
  if ((flags & flag.dictionary) !== 0) throw new Error('the frame needs a dictionary');
  const hasSize = (flags & flag.contentSize) !== 0;
  const rest = (await readExactly(input, hasSize ? 9 : 1)).slice();
  const hash = new XxHash32().update(start).update(rest.subarray(0, -1)).digest();
  if (((hash >>> 8) & 0xff) !== rest.at(-1)) throw new Error('the checksum of a header is wrong');
  const code = sizes >> 4;
  if (code < 4) throw new Error('the frame has blocks of an unknown size');
  const contentSize = hasSize ? new DataView(rest.buffer, rest.byteOffset).getBigUint64(0, true) : undefined;
  return { flags, maxBlock: 1 << (8 + 2 * code), contentSize };
}

async function* decodeFrame(input: ByteSource): AsyncGenerator<Uint8Array, void, void> {
  const { flags, maxBlock, contentSize } = await readHeader(input);
  const content = new XxHash32();
  const window = new Uint8Array(historySize + maxBlock);
  let history = 0;
  let size = 0n;
  for (;;) {
    const head = numberAt(await readExactly(input, 4), 0);
    if (head === 0) break;
    const length = (head & ~rawBlock) >>> 0;
    if (length > maxBlock) throw new Error('a block is larger than the frame says');
    const block = await readExactly(input, length);
    const isRaw = (head & rawBlock) !== 0;
    if (isRaw) window.set(block, history);
    const end = isRaw ? history + length : decodeBlock(block, window, history);
    if ((flags & flag.blockChecksum) !== 0) {
      const hash = new XxHash32().update(block).digest();
      if (numberAt(await readExactly(input, 4), 0) !== hash)
        throw new Error('the checksum of a block is wrong');
    }
    const piece = window.subarray(history, end);
    content.update(piece);
    size += BigInt(piece.length);
    if (piece.length > 0) yield piece;
    if ((flags & flag.independent) !== 0) continue;
    const kept = Math.min(end, historySize);
    window.copyWithin(0, end - kept, end);
    history = kept;
  }
  if ((flags & flag.contentChecksum) !== 0 && numberAt(await readExactly(input, 4), 0) !== content.digest()) {
    throw new Error('the checksum of the content is wrong');
  }
  if (contentSize !== undefined && contentSize !== size)
    throw new Error('the content has another size than the frame says');
}

/** Writes what the block stands for behind `start`, and gives where it ends. What is before may be referred to. */
function decodeBlock(block: Uint8Array, window: Uint8Array, start: number): number {
  let [at, end] = [0, start];
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const more = block[at++];
      if (more === undefined) throw new Error('a block ends in the middle of a length');
      length += more;
      if (more < 255) return length;
    }
  };
  for (;;) {
    const token = block[at++];
    if (token === undefined) throw new Error('a block ends in the middle of a sequence');
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length || end + literals > window.length)
      throw new Error('a block has too many literals');
    window.set(block.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at === block.length) return end;
    const offset = (block[at] as number) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const matched = lengthFrom(token & 15) + 4;
    if (offset === 0 || offset > end) throw new Error('a block refers to what is not there');
    if (end + matched > window.length) throw new Error('a block is larger than the frame says');
    if (offset >= matched) window.copyWithin(end, end - offset, end - offset + matched);
    else for (let i = 0; i < matched; i++) window[end + i] = window[end + i - offset] as number;
    end += matched;
  }
}

const cutOff = 'it ends in the middle of a frame';

async function readExactly(input: ByteSource, length: number): Promise<Uint8Array> {
  return exactly(await input.read(length), length);
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length < length) throw new Error(cutOff);
  return bytes;
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}
