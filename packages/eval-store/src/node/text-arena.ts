/** Copies of many texts, a few in each buffer: a buffer for each would be work for the collector. */
export class TextArena {
  static readonly #chunkBytes = 1 << 20;
  #chunk = new Uint8Array();
  #used = 0;

  keep(text: Uint8Array): Uint8Array {
    if (text.length > TextArena.#chunkBytes / 4) return text.slice();
    if (text.length > this.#chunk.length - this.#used) {
      this.#chunk = new Uint8Array(TextArena.#chunkBytes);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += text.length;
    this.#chunk.set(text, start);
    return this.#chunk.subarray(start, this.#used);
  }
}
