/**
 * Writes messages into a buffer that grows: numbers of 64 bits, little-endian, and strings, which are their length, their
 * bytes, and zeroes up to a multiple of 8. Nothing is sent by itself; `finish` gives what was written and begins anew.
 */
import { encodeUtf8 } from '@neve/bytes';

const initialSize = 1 << 9;

export class WireWriter {
  #buffer: Uint8Array = new Uint8Array(initialSize);
  #view: DataView = new DataView(this.#buffer.buffer);
  #used = 0;

  /** Bytes written since `finish`. */
  get size(): number {
    return this.#used;
  }

  /** A whole number that is not negative. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`${value} is not a number of the protocol`);
    this.#reserve(8);
    this.#view.setUint32(this.#used, value >>> 0, true);
    this.#view.setUint32(this.#used + 4, Math.floor(value / 2 ** 32), true);
    this.#used += 8;
  }

  uint64(value: bigint): void {
    if (value < 0n || value >> 64n !== 0n) throw new Error(`${value} is not a number of 64 bits`);
    this.#reserve(8);
    this.#view.setBigUint64(this.#used, value, true);
    this.#used += 8;
  }

  bool(value: boolean): void {
    this.number(value ? 1 : 0);
  }

  /** A string with its length and padding. */
  bytes(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.raw(bytes);
    this.#pad(bytes.length);
  }

  text(text: string): void {
    this.bytes(encodeUtf8(text));
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** What was written. The memory is the caller's. */
  finish(): Uint8Array {
    const written = this.#buffer.slice(0, this.#used);
    this.#used = 0;
    return written;
  }

  #pad(length: number): void {
    const padding = -length & 7;
    this.#reserve(padding);
    this.#buffer.fill(0, this.#used, this.#used + padding);
    this.#used += padding;
  }

  #reserve(size: number): void {
    const needed = this.#used + size;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}
