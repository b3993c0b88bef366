/**
 * Memory for many small pieces of bytes: they are cut from large buffers, since a buffer of its own for each would cost more
 * than filling it. A large buffer lives as long as any of its pieces.
 */
const slabSize = 1 << 20;
const largestPiece = slabSize >> 3;

export class Slab {
  #buffer = Buffer.alloc(0);
  #used = 0;

  /** At least `length` writable bytes, of which `keep` says how many are used in the end. */
  reserve(length: number): Buffer {
    if (length > largestPiece) return Buffer.allocUnsafeSlow(length);
    if (length > this.#buffer.length - this.#used) {
      this.#buffer = Buffer.allocUnsafeSlow(slabSize);
      this.#used = 0;
    }
    return this.#buffer.subarray(this.#used, this.#used + length);
  }

  /** The first `length` bytes of what `reserve` gave last; the rest is free again. */
  keep(reserved: Buffer, length: number): Buffer {
    if (reserved.buffer === this.#buffer.buffer) this.#used += length;
    return reserved.subarray(0, length);
  }
}
