/**
 * Decodes what the program `compress` writes (`.Z`): LZW with codes of 9 to 16 bits, whose first bit is the lowest of a byte.
 *
 *     1f 9d | flags: 1, the most bits of a code and 0x80 if code 256 empties the table | codes
 *
 * Codes are written in groups of eight. When codes get wider, and after one that empties the table, the rest of a group is
 * filled up. Nothing marks the end and there is no checksum: a stream that is cut off gives less. The format is described in
 * compress(1) of ncompress and in US patent 4,558,302.
 */
import { ByteSource } from './byte-source.ts';

const headLength = 3;
const leastBits = 9;
const mostBits = 16;
const clearCode = 256;
const outputSize = 1 << 16;
/** The longest string of the table, which a code stands for, has as many bytes as the table has codes. */
const stringSize = 1 << mostBits;

/** A piece is used until the next one is asked for. Throws a plain `Error` whose message fits behind "damaged: ". */
export async function* decodeLzw(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(source);
  try {
    const head = (await input.read(headLength)).slice();
    if (head.length < headLength) throw new Error('it ends in the middle of a head');
    const decoder = new LzwDecoder(head);
    for await (const chunk of input.rest()) yield* decoder.decode(chunk);
  } finally {
    await input.close();
  }
}

class LzwDecoder {
  readonly #maxBits: number;
  readonly #clears: boolean;
  /** A code of 256 or more stands for what another one stands for, and a byte. */
  readonly #prefixes = new Uint16Array(1 << mostBits);
  readonly #suffixes = new Uint8Array(1 << mostBits);
  readonly #output = new Uint8Array(outputSize + stringSize);
  /** Bits that are read and not used. */
  #bits = 0;
  #bitCount = 0;
  #width = leastBits;
  /** How many codes of a group of eight were read. */
  #inGroup = 0;
  #skippedBits = 0;
  #next: number;
  #last = -1;
  #lastByte = 0;

  constructor(head: Uint8Array) {
    const [first, second, flags = 0] = head;
    if (first !== 0x1f || second !== 0x9d) throw new Error('it does not begin as one of compress does');
    this.#maxBits = flags & 0x1f;
    if (this.#maxBits < leastBits || this.#maxBits > mostBits)
      throw new Error(`it has codes of ${this.#maxBits} bits, where ${leastBits} to ${mostBits} are known`);
    this.#clears = (flags & 0x80) !== 0;
    this.#next = this.#clears ? clearCode + 1 : clearCode;
  }

  *decode(chunk: Uint8Array): Generator<Uint8Array, void, void> {
    const output = this.#output;
    let end = 0;
    let at = 0;
    for (;;) {
      if (this.#next > this.#maxCode() && this.#width < this.#maxBits) this.#fillGroup(this.#width + 1);
      while (this.#bitCount < this.#width + this.#skippedBits && at < chunk.length) {
        this.#bits |= (chunk[at++] as number) << this.#bitCount;
        this.#bitCount += 8;
        // What fills a group up can be longer than a number.
        const dropped = Math.min(this.#skippedBits, this.#bitCount);
        this.#bits >>>= dropped;
        this.#bitCount -= dropped;
        this.#skippedBits -= dropped;
      }
      if (this.#skippedBits > 0 || this.#bitCount < this.#width) break;
      const code = this.#bits & ((1 << this.#width) - 1);
      this.#bits >>>= this.#width;
      this.#bitCount -= this.#width;
      this.#inGroup = (this.#inGroup + 1) & 7;
      if (code === clearCode && this.#clears) {
        // The code after this one makes an entry that is not used.
        this.#next = clearCode;
        this.#fillGroup(leastBits);
        continue;
      }
      end = this.#expand(code, end);
      if (end < outputSize) continue;
      yield output.subarray(0, end);
      end = 0;
    }
    if (end > 0) yield output.subarray(0, end);
  }

  #maxCode(): number {
    return (1 << this.#width) - 1;
  }

  #fillGroup(width: number): void {
    const missing = ((8 - this.#inGroup) & 7) * this.#width;
    const dropped = Math.min(missing, this.#bitCount);
    this.#bits >>>= dropped;
    this.#bitCount -= dropped;
    this.#skippedBits = missing - dropped;
    this.#inGroup = 0;
    this.#width = width;
  }

  /** Writes what a code stands for, and gives where that ends. */
  #expand(code: number, start: number): number {
    const output = this.#output;
    const isFirst = this.#last < 0;
    if (code > this.#next || (code === this.#next && isFirst) || (isFirst && code >= clearCode))
      throw new Error('a code stands for nothing');
    // The one that is made by this very code ends with the byte which it begins with.
    const isNew = code >= clearCode && code === this.#next;
    const known = isNew ? this.#last : code;
    let length = 1;
    for (let it = known; it >= clearCode; it = this.#prefixes[it] as number) length++;
    let at = start + length;
    let it = known;
    for (; it >= clearCode; it = this.#prefixes[it] as number) output[--at] = this.#suffixes[it] as number;
    output[--at] = it;
    const end = isNew ? start + length + 1 : start + length;
    if (isNew) output[end - 1] = this.#lastByte;
    this.#lastByte = it;
    if (!isFirst && this.#next < 1 << this.#maxBits) {
      this.#prefixes[this.#next] = this.#last;
      this.#suffixes[this.#next++] = it;
    }
    this.#last = code;
    return end;
  }
}
