/**
 * Decodes one block of a bzip2 stream: bits → Huffman codes → move to front and runs → Burrows-Wheeler → runs again.
 *
 *     block   = randomised:1 origin:24 symbolMap trees:3 selectorCount:15 selector* tree* symbol*
 *     runs    = four equal bytes are followed by how many more of them there are, 0 to 255
 *
 * A block is at most 900,000 bytes before the last step, which can make 46 MB of it; that step is therefore a
 * generator. The format has no specification by its author; "BZIP2: Format Specification" (Joe Tsai, 2016) describes
 * it. A problem is thrown as a plain `Error` with a message that fits behind "damaged: ".
 */

/** Reads bits of bytes that are all at hand, the first bit of a byte is its highest. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position: number;
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array, bitOffset: number) {
    this.#bytes = bytes;
    this.#position = bitOffset >>> 3;
    if ((bitOffset & 7) !== 0) this.read(bitOffset & 7);
  }

  /** Up to 24 bits. Throws `OutOfBits` at the end. */
  read(count: number): number {
    while (this.#count < count) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new OutOfBits();
      this.#bits = ((this.#bits & 0xffffff) << 8) | byte;
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#bits >>> this.#count) & ((1 << count) - 1);
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** How many bits of the bytes are read. */
  get bitOffset(): number {
    return this.#position * 8 - this.#count;
  }
}

/** The bytes at hand do not have the whole block. */
export class OutOfBits extends Error {
  constructor() {
    super('it ends in the middle of a block');
  }
}

/** A block after its symbols are decoded; each entry of `next` is a byte and, above it, where the next entry is. */
export type Bzip2Block = { readonly next: Uint32Array; readonly length: number; readonly start: number };

const maxCodeLength = 20;
const symbolsPerSelector = 50;

type HuffmanTree = {
  /** By length of a code: the highest code of that length (-1: none), and where its symbols begin. */
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
  readonly minLength: number;
};

/** `next` is what to decode into, as long as a block of the stream may be. */
export function readBzip2Block(bits: BitReader, next: Uint32Array): Bzip2Block {
  if (bits.read(1) !== 0) throw new Error('it is randomised, which bzip2 has not done since 1997');
  const origin = bits.read(24);
  const alphabet = readAlphabet(bits);
  const treeCount = bits.read(3);
  if (treeCount < 2 || treeCount > 6) throw new Error('it has a wrong number of trees');
  const selectors = readSelectors(bits, treeCount);
  const trees = Array.from({ length: treeCount }, () => readTree(bits, alphabet.length + 2));
  const counts = new Uint32Array(256);
  const length = readSymbols({ bits, alphabet, selectors, trees, next, counts });
  if (origin >= length) throw new Error('it begins outside of itself');
  linkBytes(next, length, counts);
  return { next, length, start: (next[origin] as number) >>> 8 };
}

function readAlphabet(bits: BitReader): Uint8Array {
  const groups = bits.read(16);
  const alphabet: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >>> group)) === 0) continue;
    const present = bits.read(16);
    for (let index = 0; index < 16; index++) {
      if ((present & (0x8000 >>> index)) !== 0) alphabet.push(group * 16 + index);
    }
  }
  if (alphabet.length === 0) throw new Error('it uses no bytes');
  return Uint8Array.from(alphabet);
}

function readSelectors(bits: BitReader, treeCount: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw new Error('it has no selectors');
  const selectors = new Uint8Array(count);
  const order = [0, 1, 2, 3, 4, 5];
  for (let index = 0; index < count; index++) {
    let place = 0;
    while (bits.read(1) === 1) {
      if (++place >= treeCount) throw new Error('it selects a tree that is not there');
    }
    const [tree] = order.splice(place, 1) as [number];
    order.unshift(tree);
    selectors[index] = tree;
  }
  return selectors;
}

function readTree(bits: BitReader, symbolCount: number): HuffmanTree {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    for (;;) {
      if (length < 1 || length > maxCodeLength) throw new Error('it has a code of a wrong length');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return makeTree(lengths);
}

function makeTree(lengths: Uint8Array): HuffmanTree {
  const limits = new Int32Array(maxCodeLength + 1).fill(-1);
  const offsets = new Int32Array(maxCodeLength + 1);
  const symbols = new Uint16Array(lengths.length);
  let code = 0;
  let used = 0;
  for (let length = 1; length <= maxCodeLength; length++) {
    offsets[length] = used - code;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      symbols[used++] = symbol;
      code++;
    }
    limits[length] = code - 1;
    code <<= 1;
  }
  return { limits, offsets, symbols, minLength: Math.min(...lengths) };
}

type SymbolsOptions = {
  readonly bits: BitReader;
  readonly alphabet: Uint8Array;
  readonly selectors: Uint8Array;
  readonly trees: readonly HuffmanTree[];
  readonly next: Uint32Array;
  readonly counts: Uint32Array;
};

/** Writes bytes to `next` and their frequencies to `counts`; returns how many there are. */
function readSymbols({ bits, alphabet, selectors, trees, next, counts }: SymbolsOptions): number {
  const recent = alphabet.slice();
  const end = alphabet.length + 1;
  let length = 0;
  let run = 0;
  let runWeight = 1;
  for (let index = 0; ; index++) {
    const selector = selectors[Math.floor(index / symbolsPerSelector)];
    if (selector === undefined) throw new Error('it has fewer selectors than it needs');
    const symbol = readSymbol(bits, trees[selector] as HuffmanTree);
    if (symbol < 2) {
      // Lengths of runs are written to the base of two with the digits one and two.
      run += runWeight << symbol;
      runWeight *= 2;
      if (run > next.length) throw new Error('it is longer than a block may be');
      continue;
    }
    if (run > 0) {
      const byte = recent[0] as number;
      if (length + run > next.length) throw new Error('it is longer than a block may be');
      next.fill(byte, length, length + run);
      counts[byte] = (counts[byte] as number) + run;
      length += run;
      run = 0;
      runWeight = 1;
    }
    if (symbol === end) return length;
    if (length === next.length) throw new Error('it is longer than a block may be');
    const byte = recent[symbol - 1] as number;
    recent.copyWithin(1, 0, symbol - 1);
    recent[0] = byte;
    counts[byte] = (counts[byte] as number) + 1;
    next[length++] = byte;
  }
}

function readSymbol(bits: BitReader, { limits, offsets, symbols, minLength }: HuffmanTree): number {
  let code = bits.read(minLength);
  for (let length = minLength; length <= maxCodeLength; length++) {
    if (code <= (limits[length] as number)) {
      const symbol = symbols[code + (offsets[length] as number)];
      if (symbol !== undefined) return symbol;
      break;
    }
    code = (code << 1) | bits.read(1);
  }
  throw new Error('it has a code that stands for nothing');
}

/** Puts above each byte where its successor is, by sorting the bytes. */
function linkBytes(next: Uint32Array, length: number, counts: Uint32Array): void {
  const places = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) {
    places[byte] = (places[byte - 1] as number) + (counts[byte - 1] as number);
  }
  for (let index = 0; index < length; index++) {
    const byte = (next[index] as number) & 0xff;
    const place = places[byte] as number;
    places[byte] = place + 1;
    next[place] = (next[place] as number) | (index << 8);
  }
}

const pieceSize = 1 << 16;

/** The contents of a block in pieces; returns their checksum. */
export function* expandBzip2Block({ next, length, start }: Bzip2Block): Generator<Uint8Array, number, void> {
  let piece = new Uint8Array(pieceSize);
  let used = 0;
  let place = start;
  let crc = -1;
  let previous = -1;
  let repeated = 0;
  for (let index = 0; index < length; index++) {
    const entry = next[place] as number;
    place = entry >>> 8;
    const byte = entry & 0xff;
    let copies = 1;
    let written = byte;
    if (repeated === 4) {
      copies = byte;
      written = previous;
      repeated = 0;
      previous = -1;
    } else if (byte === previous) repeated++;
    else {
      previous = byte;
      repeated = 1;
    }
    // At most 255 bytes come at once.
    if (used + copies > pieceSize) {
      yield piece.subarray(0, used);
      piece = new Uint8Array(pieceSize);
      used = 0;
    }
    for (; copies > 0; copies--) {
      piece[used++] = written;
      crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ written] as number);
    }
  }
  yield piece.subarray(0, used);
  return ~crc >>> 0;
}

/** CRC-32 with the highest bit first. */
const crcTable: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});
