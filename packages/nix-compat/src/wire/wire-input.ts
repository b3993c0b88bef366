/**
 * Bytes that have come and are not yet read, and what one message may take of them. Readers of messages are generators
 * over it: they take what is there and yield when it is used up; whoever drives them brings the next piece then. So a
 * message that lies in memory is read without a promise, and one that comes in drops is read by the same code.
 *
 * Invariant: a reader yields only when every byte at hand is taken, so that pieces are never joined. Nothing is allocated
 * for a length before its bytes are there.
 */
import { NixCompatError } from '../nix-compat-error.ts';

/** A value under way. It yields when it needs more bytes. */
export type Reading<T> = Generator<undefined, T, undefined>;

export type WireLimits = {
  /** Longest string, in bytes; 64 MiB unless given. */
  readonly maxStringSize?: number;
  /** What one message may take in all, in bytes; 256 MiB unless given. Streams that follow a message are not counted. */
  readonly maxMessageSize?: number;
};

export const defaultMaxStringSize: number = 1 << 26;
export const defaultMaxMessageSize: number = 1 << 28;

const none = new Uint8Array(0);

/** Bytes of a number, and what strings are padded to. */
const wordSize = 8;

export class WireInput {
  readonly #maxStringSize: number;
  readonly #maxMessageSize: number;
  #piece: Uint8Array = none;
  #view: DataView = new DataView(none.buffer);
  #at = 0;
  /** What the message at hand may still take. */
  #budget: number;
  readonly #word: Uint8Array = new Uint8Array(wordSize);
  readonly #wordView: DataView = new DataView(this.#word.buffer);

  constructor({
    maxStringSize = defaultMaxStringSize,
    maxMessageSize = defaultMaxMessageSize,
  }: WireLimits = {}) {
    this.#maxStringSize = maxStringSize;
    this.#maxMessageSize = maxMessageSize;
    this.#budget = maxMessageSize;
  }

  /** Bytes at hand. */
  get available(): number {
    return this.#piece.length - this.#at;
  }

  /** Gives the next piece, when none is at hand. */
  push(piece: Uint8Array): void {
    if (this.available > 0) throw new Error('a piece comes when the one before is used up');
    this.#piece = piece;
    this.#view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    this.#at = 0;
  }

  /** Begins a message, for which the limits count anew. */
  startMessage(): void {
    this.#budget = this.#maxMessageSize;
  }

  /** What is at hand of the next `size` bytes, as a view; it may be nothing. */
  take(size: number): Uint8Array {
    const end = Math.min(this.#piece.length, this.#at + size);
    const taken = this.#piece.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A number of 64 bits, little-endian, in two halves. */
  *#words(): Reading<DataView> {
    this.#spend(wordSize);
    for (let filled = 0; filled < wordSize;) {
      const part = this.take(wordSize - filled);
      if (part.length === 0) yield;
      this.#word.set(part, filled);
      filled += part.length;
    }
    return this.#wordView;
  }

  /** Any number of 64 bits. */
  *readUint64(): Reading<bigint> {
    return (yield* this.#words()).getBigUint64(0, true);
  }

  /** A number of 64 bits that is at most `max`, which is a safe integer. */
  *readNumber(max: number): Reading<number> {
    let value: number;
    if (this.available >= wordSize) {
      this.#spend(wordSize);
      value = numberAt(this.#view, this.#at);
      this.#at += wordSize;
    } else {
      value = numberAt(yield* this.#words(), 0);
    }
    if (value > max) throw bad(`the number ${showNumber(value)} is larger than ${max}`);
    return value;
  }

  /** The bytes of a string: a copy, or a view that is valid until the next read if `asView`. */
  *readBytes(asView = false): Reading<Uint8Array> {
    const length = yield* this.readNumber(Number.MAX_SAFE_INTEGER);
    if (length > this.#maxStringSize) {
      throw tooLarge(`a string of ${length} bytes is longer than ${this.#maxStringSize}`);
    }
    const padding = -length & (wordSize - 1);
    this.#spend(length + padding);
    let bytes: Uint8Array;
    if (this.available >= length + padding) bytes = asView ? this.take(length) : this.take(length).slice();
    else bytes = yield* this.#gather(length);
    yield* this.#skipPadding(padding);
    return bytes;
  }

  /** How many items a list has, of which each takes a number at least. */
  *readCount(): Reading<number> {
    const count = yield* this.readNumber(Number.MAX_SAFE_INTEGER);
    if (count * wordSize > this.#budget) {
      throw tooLarge(`a list of ${count} items is longer than a message of ${this.#maxMessageSize} bytes`);
    }
    return count;
  }

  /** Bytes that come in several pieces. The array grows with them and not with what their length claims. */
  *#gather(length: number): Reading<Uint8Array> {
    let bytes = new Uint8Array(Math.min(length, Math.max(this.available, 1 << 12)));
    let filled = 0;
    while (filled < length) {
      const part = this.take(length - filled);
      if (part.length === 0) {
        yield;
        continue;
      }
      if (filled + part.length > bytes.length) {
        const larger = new Uint8Array(Math.min(length, Math.max(filled + part.length, bytes.length * 2)));
        larger.set(bytes.subarray(0, filled));
        bytes = larger;
      }
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  *#skipPadding(padding: number): Reading<void> {
    for (let left = padding; left > 0;) {
      const part = this.take(left);
      if (part.length === 0) yield;
      for (const byte of part) {
        if (byte !== 0) throw bad('the padding of a string is not zero');
      }
      left -= part.length;
    }
  }

  #spend(size: number): void {
    this.#budget -= size;
    if (this.#budget < 0) throw tooLarge(`a message is larger than ${this.#maxMessageSize} bytes`);
  }
}

/** Infinite when it is no safe integer. */
function numberAt(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 1 << 21 ? high * 2 ** 32 + view.getUint32(at, true) : Infinity;
}

function showNumber(value: number): string {
  return value === Infinity ? 'of more than 53 bits' : `${value}`;
}

function bad(message: string): NixCompatError {
  return new NixCompatError('bad-message', message);
}

function tooLarge(message: string): NixCompatError {
  return new NixCompatError('message-too-large', message);
}
