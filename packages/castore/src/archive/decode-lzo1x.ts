/**
 * Decodes one block of LZO1X, all of whose variants have the same data. `L`, `D` and `S` are bits of an instruction, `H` is the
 * byte behind it, and `W` the two bytes behind it, the lower one first, of which the lowest two bits are `S`.
 *
 *     0000LLLL   after a match without literals: 3 + L literals; else a match
 *     0000DDSS   after 1 to 3 literals: 2 bytes, distance H·4 + D + 1; after more: 3 bytes, distance H·4 + D + 2049
 *     0001HLLL   2 + L bytes, distance 16384 + H·16384 + W/4, where none is the end
 *     001LLLLL   2 + L bytes, distance W/4 + 1
 *     01LDDDSS   3 + L bytes, distance H·8 + D + 1
 *     1LLDDDSS   5 + L bytes, distance H·8 + D + 1
 *
 * `S` literals follow a match. A length `L` of 0 goes on in the next bytes: 255 for each 0, and the first one that is not 0,
 * beyond the greatest that has room. A first byte of more than 17 stands for so many literals less 17. Described in "LZO stream
 * format as understood by Linux's LZO decompressor" (Willy Tarreau).
 */

/** Fills `output` exactly. Throws a plain `Error` whose message fits behind "damaged: ". */
export function decodeLzo1x(block: Uint8Array, output: Uint8Array): void {
  const reader = new Lzo1xReader(block, output);
  while (reader.step());
  if (!reader.isComplete) throw new Error('a block has another size than it says');
}

const afterLiterals = 4;

class Lzo1xReader {
  readonly #block: Uint8Array;
  readonly #output: Uint8Array;
  #at = 0;
  #end = 0;
  /** How many literals came last, where 4 stands for more than 3. */
  #state = 0;

  constructor(block: Uint8Array, output: Uint8Array) {
    this.#block = block;
    this.#output = output;
    const [first = 0] = block;
    if (first <= 17) return;
    this.#at = 1;
    this.#copyLiterals(first - 17);
    this.#state = Math.min(first - 17, afterLiterals);
  }

  get isComplete(): boolean {
    return this.#end === this.#output.length && this.#at === this.#block.length;
  }

  /** One instruction. False at the end. */
  step(): boolean {
    const code = this.#byte();
    if (code >= 128) return this.#near(code, 5 + ((code >> 5) & 3));
    if (code >= 64) return this.#near(code, 3 + ((code >> 5) & 1));
    if (code >= 32) {
      const length = 2 + this.#length(code & 31, 31);
      const word = this.#word();
      return this.#match((word >> 2) + 1, length, word & 3);
    }
    if (code >= 16) {
      const length = 2 + this.#length(code & 7, 7);
      const word = this.#word();
      const distance = ((code & 8) << 11) + (word >> 2);
      return distance !== 0 && this.#match(16_384 + distance, length, word & 3);
    }
    if (this.#state === 0) {
      this.#copyLiterals(3 + this.#length(code, 15));
      this.#state = afterLiterals;
      return true;
    }
    const distance = (this.#byte() << 2) + (code >> 2) + 1;
    return this.#state === afterLiterals
      ? this.#match(distance + 2048, 3, code & 3)
      : this.#match(distance, 2, code & 3);
  }

  #near(code: number, length: number): boolean {
    return this.#match((this.#byte() << 3) + ((code >> 2) & 7) + 1, length, code & 3);
  }

  #length(bits: number, greatest: number): number {
    if (bits !== 0) return bits;
    let length = greatest;
    for (;;) {
      const byte = this.#byte();
      if (byte !== 0) return length + byte;
      length += 255;
    }
  }

  #match(distance: number, length: number, literals: number): true {
    const output = this.#output;
    const end = this.#end;
    if (distance > end) throw new Error('a block refers to what is not there');
    if (end + length > output.length) throw new Error(tooLarge);
    if (distance >= length) output.copyWithin(end, end - distance, end - distance + length);
    else for (let at = end; at < end + length; at++) output[at] = output[at - distance] as number;
    this.#end = end + length;
    this.#copyLiterals(literals);
    this.#state = literals;
    return true;
  }

  #copyLiterals(length: number): void {
    if (this.#at + length > this.#block.length) throw new Error(tooShort);
    if (this.#end + length > this.#output.length) throw new Error(tooLarge);
    this.#output.set(this.#block.subarray(this.#at, this.#at + length), this.#end);
    this.#at += length;
    this.#end += length;
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new Error(tooShort);
    return byte;
  }

  #word(): number {
    const low = this.#byte();
    return low | (this.#byte() << 8);
  }
}

const tooShort = 'a block ends in the middle of an instruction';
const tooLarge = 'a block is larger than it says';
