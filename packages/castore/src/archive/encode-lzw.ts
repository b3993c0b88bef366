/**
 * Writes what the program `compress` reads (`decode-lzw.ts` describes the format), with codes of up to 16 bits. When the table
 * is full it is emptied as soon as what comes is not made shorter as well as what came before.
 */
const leastBits = 9;
const mostBits = 16;
const clearCode = 256;
const firstFree = 257;
const tableSize = 1 << mostBits;
const slotCount = 1 << 18;
/** Input bytes between two looks at how well it goes. */
const checkInterval = 10_000;
const outputSize = 1 << 16;
/** A code, and what fills up two groups. */
const spareSize = 64;

/** A piece is used until the next one is asked for. */
export async function* encodeLzw(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield Uint8Array.of(0x1f, 0x9d, 0x80 | mostBits);
  const encoder = new LzwEncoder();
  for await (const piece of source) yield* encoder.encode(piece);
  yield encoder.finish();
}

class LzwEncoder {
  readonly #codes = new CodeWriter();
  /** Open addressing: a slot has code, prefix and byte of an entry, or 0. */
  readonly #keys = new Uint32Array(slotCount);
  readonly #values = new Uint16Array(slotCount);
  #next = firstFree;
  #prefix = -1;
  #inputSize = 0;
  #checkAt = checkInterval;
  #checked = { input: 0, output: 0, ratio: 0 };

  *encode(piece: Uint8Array): Generator<Uint8Array, void, void> {
    const keys = this.#keys;
    for (const byte of piece) {
      this.#inputSize++;
      if (this.#prefix < 0) {
        this.#prefix = byte;
        continue;
      }
      // Never 0, so that 0 is an empty slot.
      const key = ((this.#prefix << 8) | byte) + 1;
      let slot = (Math.imul(key, 0x9e37_79b1) >>> 14) & (slotCount - 1);
      while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & (slotCount - 1);
      if (keys[slot] === key) {
        this.#prefix = this.#values[slot] as number;
        continue;
      }
      this.#codes.write(this.#prefix);
      this.#prefix = byte;
      if (this.#next < tableSize) {
        keys[slot] = key;
        this.#values[slot] = this.#next++;
      } else if (this.#inputSize >= this.#checkAt) this.#considerClearing();
      if (this.#codes.length >= outputSize) yield this.#codes.take();
    }
  }

  finish(): Uint8Array {
    if (this.#prefix >= 0) this.#codes.write(this.#prefix);
    this.#codes.finish();
    return this.#codes.take();
  }

  #considerClearing(): void {
    this.#checkAt = this.#inputSize + checkInterval;
    const { input, output, ratio: before } = this.#checked;
    const written = this.#codes.total;
    const ratio = (this.#inputSize - input) / Math.max(1, written - output);
    this.#checked = { input: this.#inputSize, output: written, ratio: Math.max(before, ratio) };
    if (ratio >= before) return;
    this.#checked.ratio = 0;
    this.#codes.writeClear();
    this.#keys.fill(0);
    this.#next = firstFree;
  }
}

/** Codes as bits. It counts the entries which the reader has made so far, since the width of codes goes by them. */
class CodeWriter {
  readonly #output = new Uint8Array(outputSize + spareSize);
  #end = 0;
  #taken = 0;
  #bits = 0;
  #bitCount = 0;
  #width = leastBits;
  #inGroup = 0;
  #readerNext = firstFree;
  #isFirst = true;

  /** In bytes: of what was not taken, and of all. */
  get length(): number {
    return this.#end;
  }

  get total(): number {
    return this.#taken + this.#end;
  }

  write(code: number): void {
    if (this.#readerNext > (1 << this.#width) - 1 && this.#width < mostBits) {
      this.#fillGroup();
      this.#width++;
    }
    this.#put(code);
    if (!this.#isFirst && this.#readerNext < tableSize) this.#readerNext++;
    this.#isFirst = false;
  }

  writeClear(): void {
    this.#put(clearCode);
    this.#fillGroup();
    this.#width = leastBits;
    this.#readerNext = clearCode;
  }

  finish(): void {
    if (this.#bitCount > 0) this.#output[this.#end++] = this.#bits & 0xff;
    this.#bitCount = 0;
  }

  take(): Uint8Array {
    const bytes = this.#output.slice(0, this.#end);
    this.#taken += this.#end;
    this.#end = 0;
    return bytes;
  }

  #put(code: number): void {
    this.#bits |= code << this.#bitCount;
    this.#bitCount += this.#width;
    for (; this.#bitCount >= 8; this.#bitCount -= 8) {
      this.#output[this.#end++] = this.#bits & 0xff;
      this.#bits >>>= 8;
    }
    this.#inGroup = (this.#inGroup + 1) & 7;
  }

  #fillGroup(): void {
    while (this.#inGroup !== 0) this.#put(0);
  }
}
