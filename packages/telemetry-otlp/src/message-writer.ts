/**
 * Writes messages of Protocol Buffers, nested ones included, into one buffer that grows. `ProtobufWriter` of `@neve/bytes` is for
 * canonical encodings; this one has what OTLP needs beyond it (numbers of 4 and 8 bytes, fields above 15), and knows the length
 * of a nested message only at its end. Most of it runs before V8 has compiled it, so that bytes are written by what is compiled
 * already, and not one by one:
 *
 *     const mark = writer.begin(11);  …the fields within…  writer.end(mark);
 *
 * Source: protobuf.dev, "Encoding".
 */
const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const two32 = 2 ** 32;

export class MessageWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #end = 0;

  constructor(sizeHint = 4096) {
    this.#bytes = new Uint8Array(sizeHint);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** An integer of at most 2^53 either way. Negative ones are written as those of 64 bits are. */
  integer(field: number, value: number): void {
    this.#reserve(20);
    this.#key(field, wireType.varint);
    if (value >= 0) this.#varint(value);
    else this.#negative(value);
  }

  double(field: number, value: number): void {
    this.#reserve(16);
    this.#key(field, wireType.fixed64);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  /** An integer of at most 2^53. */
  fixed64(field: number, value: number): void {
    this.#reserve(16);
    this.#key(field, wireType.fixed64);
    this.#two32(Math.floor(value / two32), value % two32);
  }

  fixed32(field: number, value: number): void {
    this.#reserve(16);
    this.#key(field, wireType.fixed32);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  /** Milliseconds since 1970, with fractions, as nanoseconds. */
  time(field: number, timeMs: number): void {
    this.#reserve(16);
    this.#key(field, wireType.fixed64);
    // Nanoseconds need more than 53 bits: ms = high * 2^21 + low.
    const wholeMs = Math.floor(timeMs);
    const high = Math.floor(wholeMs / 2 ** 21) * 1e6;
    const low = (wholeMs % 2 ** 21) * 1e6 + Math.floor((timeMs - wholeMs) * 1e6);
    const rest = (high % 2048) * 2 ** 21 + low;
    this.#two32(Math.floor(high / 2048) + Math.floor(rest / two32), rest % two32);
  }

  text(field: number, text: string): void {
    const mark = this.begin(field);
    this.#reserve(text.length * 3);
    this.#end += encoder.encodeInto(text, this.#bytes.subarray(this.#end)).written;
    this.end(mark);
  }

  /** A text that comes again and again: the field is kept as it was encoded. */
  name(field: number, text: string): void {
    const fieldBytes = knownName(field, text);
    if (fieldBytes === undefined) {
      this.text(field, text);
      return;
    }
    this.#reserve(fieldBytes.length);
    this.#bytes.set(fieldBytes, this.#end);
    this.#end += fieldBytes.length;
  }

  /** Bytes, given as hexadecimal digits: eight, or a multiple of them. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.#reserve(16 + length);
    this.#key(field, wireType.bytes);
    this.#varint(length);
    for (let at = 0; at < digits.length; at += 8) {
      this.#view.setUint32(this.#end, Number.parseInt(digits.slice(at, at + 8), 16));
      this.#end += 4;
    }
  }

  /** A list of numbers in one field. */
  doubles(field: number, values: readonly number[]): void {
    const mark = this.begin(field);
    this.#reserve(values.length * 8);
    for (const value of values) {
      this.#view.setFloat64(this.#end, value, true);
      this.#end += 8;
    }
    this.end(mark);
  }

  /** A list of integers, of 8 bytes each, in one field. */
  fixed64s(field: number, values: readonly number[]): void {
    const mark = this.begin(field);
    this.#reserve(values.length * 8);
    for (const value of values) this.#two32(Math.floor(value / two32), value % two32);
    this.end(mark);
  }

  /** Begins a message, or anything else that says how long it is. */
  begin(field: number): number {
    this.#reserve(16);
    this.#key(field, wireType.bytes);
    // Most are shorter than 128 bytes, and need no more room for their length.
    return ++this.#end;
  }

  /** `mark` is what `begin` has given. */
  end(mark: number): void {
    const length = this.#end - mark;
    if (length < 0x80) {
      this.#bytes[mark - 1] = length;
      return;
    }
    const more = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.#reserve(more);
    this.#bytes.copyWithin(mark + more, mark, this.#end);
    this.#end = mark - 1;
    this.#varint(length);
    this.#end += length;
  }

  /** What was written. The writer must not be used again. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  #key(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#end++] = rest;
  }

  /** Ten bytes: the two's complement of 64 bits. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes[this.#end++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#end++] = Number(rest);
  }

  // oxlint-disable-next-line eslint/max-params -- the two halves of a number
  #two32(high: number, low: number): void {
    this.#view.setUint32(this.#end, low, true);
    this.#view.setUint32(this.#end + 4, high, true);
    this.#end += 8;
  }

  #reserve(more: number): void {
    const needed = this.#end + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

const encoder = new TextEncoder();

/** By their fields and texts; so many of a field. */
const knownNames = new Map<number, Map<string, Uint8Array>>();
const maxNames = 500;

/** Undefined when there are too many. */
function knownName(field: number, text: string): Uint8Array | undefined {
  let names = knownNames.get(field);
  if (names === undefined) {
    names = new Map();
    knownNames.set(field, names);
  }
  const known = names.get(text);
  if (known !== undefined || names.size === maxNames) return known;
  const writer = new MessageWriter(16 + text.length * 3);
  writer.text(field, text);
  const bytes = writer.finish().slice();
  names.set(text, bytes);
  return bytes;
}
