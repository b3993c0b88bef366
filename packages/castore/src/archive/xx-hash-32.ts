/** XXH32 with the seed 0, of any number of pieces. Described in "xxHash fast digest algorithm" 0.2.0. */

const prime1 = 0x9e37_79b1;
const prime2 = 0x85eb_ca77;
const prime3 = 0xc2b2_ae3d;
const prime4 = 0x27d4_eb2f;
const prime5 = 0x1656_67b1;
const stripeLength = 16;

export class XxHash32 {
  readonly #lanes: Int32Array = Int32Array.of(prime1 + prime2, prime2, 0, -prime1);
  readonly #pending = new Uint8Array(stripeLength);
  #pendingLength = 0;
  #totalLength = 0;

  update(bytes: Uint8Array): this {
    this.#totalLength += bytes.length;
    let at = 0;
    if (this.#pendingLength > 0) {
      at = Math.min(stripeLength - this.#pendingLength, bytes.length);
      this.#pending.set(bytes.subarray(0, at), this.#pendingLength);
      this.#pendingLength += at;
      if (this.#pendingLength < stripeLength) return this;
      this.#addStripes(this.#pending);
      this.#pendingLength = 0;
    }
    const whole = bytes.length - ((bytes.length - at) % stripeLength);
    this.#addStripes(bytes.subarray(at, whole));
    this.#pending.set(bytes.subarray(whole));
    this.#pendingLength = bytes.length - whole;
    return this;
  }

  /** 32 bits, not negative. More may be added afterwards. */
  digest(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    let hash =
      this.#totalLength < stripeLength
        ? prime5 | 0
        : (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
    hash = (hash + this.#totalLength) | 0;
    const view = new DataView(this.#pending.buffer, 0, this.#pendingLength);
    let at = 0;
    for (; at + 4 <= this.#pendingLength; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(view.getUint32(at, true), prime3)) | 0, 17), prime4);
    }
    for (; at < this.#pendingLength; at++) {
      hash = Math.imul(rotate((hash + Math.imul(view.getUint8(at), prime5)) | 0, 11), prime1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), prime2);
    hash = Math.imul(hash ^ (hash >>> 13), prime3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** As many bytes as stripes have. */
  #addStripes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    for (let at = 0; at < bytes.length; at += stripeLength) {
      a = mix(a, view.getUint32(at, true));
      b = mix(b, view.getUint32(at + 4, true));
      c = mix(c, view.getUint32(at + 8, true));
      d = mix(d, view.getUint32(at + 12, true));
    }
    this.#lanes.set([a, b, c, d]);
  }
}

function mix(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, prime2)) | 0, 13), prime1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
