/**
 * Files of the program `lzop`: blocks of LZO1X, each with checksums of its own. Numbers are big-endian.
 *
 *     89 "LZO" 00 0d 0a 1a 0a | version: 2 | of the library: 2 | needed to read: 2 | method: 1 | level: 1 | flags: 4
 *       | filter: 4? | mode: 4 | time: 4 | time, high half: 4 | length: 1, name | checksum of the head: 4
 *       | extra field, length: 4, data, checksum: 4?
 *     block: size: 4 | size of the data: 4 | checksums: 4 each | data, as it is if both sizes are the same
 *     end: 0: 4
 *
 * Files follow each other if there are several. Those of versions before 0x940 (1997) lack three fields. What is written here
 * are blocks that hold the bytes as they are: as fast as copying, for readers that know no other format. Described in the
 * sources of lzop 1.04 (`lzop.c`, `conf.h`).
 */
import { adler32, crc32 } from './archive-checksums.ts';
import { ByteSource } from './byte-source.ts';
import { decodeLzo1x } from './decode-lzo1x.ts';

const magic = Uint8Array.of(0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a);
const newFields = 0x0940;
const newestKnown = 0x1040;
const largestBlock = 64 << 20;
const flag = {
  adlerOfContent: 0x1,
  adlerOfData: 0x2,
  extraField: 0x40,
  crcOfContent: 0x100,
  crcOfData: 0x200,
  filter: 0x800,
  crcOfHead: 0x1000,
};
const writtenBlock = 256 << 10;

/** A piece is used until the next one is asked for. Throws a plain `Error` whose message fits behind "damaged: ". */
export async function* decodeLzop(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(source);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const start = await input.read(magic.length);
      if (start.length === 0 && !isFirst) return;
      if (start.length < magic.length) throw new Error(cutOff);
      if (magic.some((it, index) => start[index] !== it))
        throw new Error('it does not begin as one of lzop does');
      yield* decodeBlocks(input, await readHead(input));
    }
  } finally {
    await input.close();
  }
}

/** Gives the flags. */
async function readHead(input: ByteSource): Promise<number> {
  const head = new HeadReader(input);
  const version = await head.number(2);
  const isNew = version >= newFields;
  await head.number(2);
  const needed = isNew ? await head.number(2) : version;
  if (needed > newestKnown) throw new Error(`it needs version 0x${needed.toString(16)} of lzop`);
  const method = await head.number(1);
  if (isNew) await head.number(1);
  if (method < 1 || method > 3) throw new Error(`its method ${method} is not known`);
  const flags = await head.number(4);
  if ((flags & flag.filter) !== 0) throw new Error('it was filtered before, which is not known here');
  await head.bytes(isNew ? 12 : 8);
  await head.bytes(await head.number(1));
  await head.checkSum(flags);
  if ((flags & flag.extraField) === 0) return flags;
  const extra = new HeadReader(input);
  await extra.bytes(await extra.number(4));
  await extra.checkSum(flags);
  return flags;
}

class HeadReader {
  readonly #input: ByteSource;
  #adler = 1;
  #crc = 0;

  constructor(input: ByteSource) {
    this.#input = input;
  }

  async bytes(length: number): Promise<Uint8Array> {
    if (length > 1 << 20) throw new Error('a field of its head is too long');
    const bytes = await readExactly(this.#input, length);
    this.#adler = adler32(bytes, this.#adler);
    this.#crc = crc32(bytes, this.#crc);
    return bytes;
  }

  async number(length: 1 | 2 | 4): Promise<number> {
    return (await this.bytes(length)).reduce((value, byte) => value * 256 + byte, 0);
  }

  async checkSum(flags: number): Promise<void> {
    const expected = (flags & flag.crcOfHead) === 0 ? this.#adler : this.#crc;
    if ((await readNumber(this.#input)) !== expected) throw new Error('the checksum of a head is wrong');
  }
}

async function* decodeBlocks(input: ByteSource, flags: number): AsyncGenerator<Uint8Array, void, void> {
  let output = new Uint8Array(0);
  for (;;) {
    const size = await readNumber(input);
    if (size === 0) return;
    const dataSize = await readNumber(input);
    if (size > largestBlock || dataSize > size) throw new Error('a block is larger than blocks can be');
    const ofContent = await readSums(
      input,
      (flags & flag.adlerOfContent) !== 0,
      (flags & flag.crcOfContent) !== 0,
    );
    const isRaw = dataSize === size;
    const ofData = isRaw
      ? {}
      : await readSums(input, (flags & flag.adlerOfData) !== 0, (flags & flag.crcOfData) !== 0);
    const data = await readExactly(input, dataSize);
    checkSums(data, ofData);
    if (isRaw) {
      checkSums(data, ofContent);
      yield data;
      continue;
    }
    if (output.length < size) output = new Uint8Array(size);
    const content = output.subarray(0, size);
    decodeLzo1x(data, content);
    checkSums(content, ofContent);
    yield content;
  }
}

type Sums = { readonly adler?: number; readonly crc?: number };

async function readSums(input: ByteSource, hasAdler: boolean, hasCrc: boolean): Promise<Sums> {
  const adler = hasAdler ? { adler: await readNumber(input) } : {};
  return hasCrc ? { ...adler, crc: await readNumber(input) } : adler;
}

function checkSums(bytes: Uint8Array, { adler, crc }: Sums): void {
  const isRight =
    (adler === undefined || adler === adler32(bytes)) && (crc === undefined || crc === crc32(bytes));
  if (!isRight) throw new Error('the checksum of a block is wrong');
}

/** Pieces of the source are given on as they are. */
export async function* storeLzop(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield magic;
  // Written by 1.04 with version 2.10 of the library; read by all since 0.94. Method 1 at level 1, no time and no name.
  const head = Uint8Array.of(
    0x10,
    0x40,
    0x20,
    0xa0,
    0x09,
    0x40,
    1,
    1,
    0,
    0,
    0,
    flag.adlerOfContent,
    ...new Uint8Array(13),
  );
  yield head;
  yield numberBytes(adler32(head));
  for await (const piece of source) {
    for (let start = 0; start < piece.length; start += writtenBlock) {
      const block = piece.subarray(start, start + writtenBlock);
      const fields = new Uint8Array(12);
      [block.length, block.length, adler32(block)].forEach((it, index) =>
        fields.set(numberBytes(it), index * 4),
      );
      yield fields;
      yield block;
    }
  }
  yield numberBytes(0);
}

const cutOff = 'it ends in the middle of a file';

async function readExactly(input: ByteSource, length: number): Promise<Uint8Array> {
  const bytes = await input.read(length);
  if (bytes.length < length) throw new Error(cutOff);
  return bytes;
}

async function readNumber(input: ByteSource): Promise<number> {
  const bytes = await readExactly(input, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
