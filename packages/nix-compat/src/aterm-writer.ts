/** Strings and lists of the text of a derivation (derivation-aterm.ts has the grammar). */
const quote = 0x22;
const backslash = 0x5c;

/** By byte: what stands for it after a backslash; 0 for those that stand for themselves. */
const escapes = new Uint8Array(256);
for (const [byte, letter] of Object.entries({ '\n': 'n', '\r': 'r', '\t': 't', '"': '"', '\\': '\\' })) {
  escapes[byte.charCodeAt(0)] = letter.charCodeAt(0);
}

/** Writes into one buffer, which grows. */
export class ATermWriter {
  #buffer: Uint8Array = new Uint8Array(4096);
  #length = 0;

  /** ASCII that needs no escapes. */
  raw(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#buffer[this.#length++] = text.charCodeAt(i);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  string(bytes: Uint8Array): void {
    this.#reserve(2 * bytes.length + 2);
    const buffer = this.#buffer;
    let length = this.#length;
    buffer[length++] = quote;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      const escaped = escapes[byte] as number;
      if (escaped !== 0) buffer[length++] = backslash;
      buffer[length++] = escaped === 0 ? byte : escaped;
    }
    buffer[length++] = quote;
    this.#length = length;
  }

  list<T>(items: Iterable<T>, print: (item: T) => void): void {
    this.raw('[');
    let isFirst = true;
    for (const item of items) {
      if (!isFirst) this.raw(',');
      isFirst = false;
      print(item);
    }
    this.raw(']');
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + count));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
