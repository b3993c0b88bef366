/**
 * A quick checksum of 64 bits, which tells damage and nothing else: whoever can write to the cache can make it fit. It
 * needs no library, since loading one takes longer than most of what is checked.
 *
 * Two lanes of 32 bits over little-endian words; the bytes that are left over are a word of their own, and the length
 * comes last, so that zeros at the end count.
 */

export type Checksum = readonly [low: number, high: number];

export class Checksummer {
  #low = 0x9e37_79b9 | 0;
  #high = 0x7f4a_7c15 | 0;
  #lengthBytes = 0;

  /** Every piece but the last must be a multiple of 4 bytes. */
  update(bytes: Uint8Array): void {
    const words = bytes.length >>> 2;
    if (this.#lengthBytes % 4 !== 0) throw new Error('a piece before the last is no multiple of 4 bytes');
    if (bytes.byteOffset % 4 === 0) this.#addWords(new Uint32Array(bytes.buffer, bytes.byteOffset, words));
    else this.#addWords(new Uint32Array(Uint8Array.from(bytes.subarray(0, words * 4)).buffer));
    let rest = 0;
    for (let at = words * 4; at < bytes.length; at++) rest = (rest << 8) | (bytes[at] ?? 0);
    if (bytes.length % 4 !== 0) this.#addWords(Uint32Array.of(rest));
    this.#lengthBytes += bytes.length;
  }

  finish(): Checksum {
    this.#addWords(Uint32Array.of(this.#lengthBytes, Math.floor(this.#lengthBytes / 2 ** 32), 0, 0));
    return [this.#low >>> 0, this.#high >>> 0];
  }

  #addWords(words: Uint32Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? 0;
      low = Math.imul(low ^ word, 0x85eb_ca6b);
      low ^= low >>> 15;
      high = Math.imul((high + word) | 0, 0xc2b2_ae35);
      high = ((high << 13) | (high >>> 19)) ^ low;
    }
    this.#low = low;
    this.#high = high;
  }
}

export function checksum(bytes: Uint8Array): Checksum {
  const summer = new Checksummer();
  summer.update(bytes);
  return summer.finish();
}

/** 16 hexadecimal digits. */
export function printChecksum([low, high]: Checksum): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
