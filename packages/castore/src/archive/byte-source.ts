/**
 * A stream of byte chunks read by length. What is asked for comes as a view of the chunk it lies in where it lies in
 * one, so most reads neither copy nor wait: `take` and `takeSome` answer at once or not at all, and `read` and `some`
 * wait. Only one read may be under way.
 */
import { concatBytes } from '@neve/bytes';

const nothing = new Uint8Array(0);

export class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = nothing;
  #offset = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes if they are at hand in one piece. */
  take(length: number): Uint8Array | undefined {
    const end = this.#offset + length;
    if (end > this.#chunk.length) return undefined;
    const bytes = this.#chunk.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  /** Up to `max` bytes if any are at hand. */
  takeSome(max: number): Uint8Array | undefined {
    const length = Math.min(max, this.#chunk.length - this.#offset);
    return length > 0 ? this.take(length) : undefined;
  }

  /** `length` bytes, or fewer if the stream ends before. */
  async read(length: number): Promise<Uint8Array> {
    const whole = this.take(length);
    if (whole !== undefined) return whole;
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const part = this.takeSome(missing) ?? (await this.some(missing));
      if (part === undefined) break;
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(parts);
  }

  /** 1 to `max` bytes, or undefined at the end. */
  async some(max: number): Promise<Uint8Array | undefined> {
    while (this.#offset === this.#chunk.length) {
      if (this.#ended) return undefined;
      const next = await this.#iterator.next();
      this.#offset = 0;
      this.#chunk = nothing;
      if (next.done === true) this.#ended = true;
      else this.#chunk = plain(next.value);
    }
    return this.takeSome(max);
  }

  /** Passes over `length` bytes. False if the stream ends before. */
  async skip(length: number): Promise<boolean> {
    let missing = length;
    while (missing > 0) {
      const part = this.takeSome(missing) ?? (await this.some(missing));
      if (part === undefined) return false;
      missing -= part.length;
    }
    return true;
  }

  /** Everything that is left, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const part = await this.some(Infinity);
      if (part === undefined) return;
      yield part;
    }
  }

  /** Lets the stream go, read to its end or not. */
  async close(): Promise<void> {
    this.#chunk = nothing;
    this.#offset = 0;
    if (this.#ended) return;
    this.#ended = true;
    await this.#iterator.return?.();
  }
}

/** A Buffer's `slice` would not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
