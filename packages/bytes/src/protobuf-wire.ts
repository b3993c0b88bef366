/**
 * The wire format of Protocol Buffers, as far as canonical encodings need it: varints and length-delimited fields.
 *
 *     message  = field*
 *     field    = key value          key = varint(number << 3 | wire type)
 *     varint   = seven bits a byte, least significant first, the highest bit set on all bytes but the last
 *     value    = varint (wire type 0) | length:varint bytes (wire type 2)
 *
 * Canonical means: fields in ascending order of their numbers, defaults left out, varints as short as possible. The
 * writer can write nothing else as long as its caller keeps the order; the reader gives fields as they come and refuses
 * long varints, so that a decoder need only check order and defaults. Integers are at most 2^53 - 1.
 *
 * Source: protobuf.dev, "Encoding".
 */
import { BytesError } from './bytes-error.ts';

export const varintWireType = 0;
export const bytesWireType = 2;

/** The number of bytes of `value` as a varint. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Writes fields one after another into a buffer that grows. Field numbers are below 16. */
export class ProtobufWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(sizeHint = 256) {
    this.#buffer = new Uint8Array(sizeHint);
  }

  /** Leaves the default, zero, out. */
  integer(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(11);
    this.#key(field, varintWireType);
    this.#varint(value);
  }

  /** Leaves the default, false, out. */
  boolean(field: number, value: boolean): void {
    this.integer(field, value ? 1 : 0);
  }

  /** Leaves the default, the empty string, out. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.message(field, value);
  }

  /** An element of a repeated field or a message, which is written even when it is empty. */
  message(field: number, value: Uint8Array): void {
    this.startMessage(field, value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** The head of a message of `length` bytes; the fields inside follow. */
  startMessage(field: number, length: number): void {
    this.#reserve(11 + length);
    this.#key(field, bytesWireType);
    this.#varint(length);
  }

  /** What was written. The writer must not be used again. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #key(field: number, wireType: number): void {
    this.#buffer[this.#length++] = (field << 3) | wireType;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** Reads fields one after another: `next`, then the value according to `wireType`. Throws `BytesError`. */
export class ProtobufReader {
  readonly #buffer: Uint8Array;
  #position = 0;
  #field = 0;
  #wireType = 0;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  get field(): number {
    return this.#field;
  }

  get wireType(): number {
    return this.#wireType;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#position === this.#buffer.length) return false;
    const key = this.#varint();
    this.#field = Math.floor(key / 8);
    this.#wireType = key % 8;
    if (this.#field === 0) throw bad('a field has the number 0');
    if (this.#wireType !== varintWireType && this.#wireType !== bytesWireType) {
      throw bad(`field ${this.#field} has the unexpected wire type ${this.#wireType}`);
    }
    return true;
  }

  /** The value of a varint field. */
  integer(): number {
    if (this.#wireType !== varintWireType) throw bad(`field ${this.#field} is not an integer`);
    return this.#varint();
  }

  boolean(): boolean {
    const value = this.integer();
    if (value > 1) throw bad(`field ${this.#field} is not a boolean`);
    return value === 1;
  }

  /** The value of a length-delimited field, a view of the buffer. */
  bytes(): Uint8Array {
    if (this.#wireType !== bytesWireType) throw bad(`field ${this.#field} is not length-delimited`);
    const length = this.#varint();
    if (length > this.#buffer.length - this.#position) throw bad(`field ${this.#field} is cut off`);
    this.#position += length;
    return this.#buffer.subarray(this.#position - length, this.#position);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    while (true) {
      const byte = this.#buffer[this.#position++];
      if (byte === undefined) throw bad('a number is cut off');
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw bad('a number is above 2^53 - 1');
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw bad('a number is longer than it has to be');
        return value;
      }
      scale *= 0x80;
      if (scale > 2 ** 56) throw bad('a number is longer than it has to be');
    }
  }
}

function bad(problem: string): BytesError {
  return new BytesError('invalid-encoding', `not a canonical protobuf message: ${problem}`);
}
