/** What was written is read as the wire format says, with `DataView` and big integers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageWriter } from './message-writer.ts';

/** One field below 16 of a message, and what follows its key. */
function written(write: (writer: MessageWriter) => void): { readonly key: number; readonly rest: Buffer } {
  const writer = new MessageWriter(1);
  write(writer);
  const bytes = Buffer.from(writer.finish());
  return { key: bytes[0] ?? 0, rest: bytes.subarray(1) };
}

function varint(bytes: Buffer): { readonly value: bigint; readonly length: number } {
  let value = 0n;
  for (const [index, byte] of bytes.entries()) {
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, length: index + 1 };
  }
  throw new Error('a number ends too early');
}

test('integers of either sign', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const { key, rest } = written((writer) => writer.integer(3, value));
      expect(key).toBe(3 << 3);
      expect(varint(rest)).toEqual({ value: BigInt.asUintN(64, BigInt(value)), length: rest.length });
    }),
  );
});

test('numbers of eight bytes', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), fc.double(), (integer, double) => {
      const fixed = written((writer) => writer.fixed64(1, integer));
      expect(fixed.key).toBe((1 << 3) | 1);
      expect(fixed.rest.readBigUInt64LE()).toBe(BigInt(integer));
      expect(written((writer) => writer.double(1, double)).rest.readDoubleLE()).toBe(double);
    }),
  );
});

test('times are nanoseconds, as exact as milliseconds with fractions are', () => {
  // Until 2100; fractions are multiples of 2^-10 ms, which a number of that size has.
  const times = fc.tuple(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.integer({ min: 0, max: 1023 }));
  fc.assert(
    fc.property(times, ([wholeMs, part]) => {
      const { rest } = written((writer) => writer.time(1, wholeMs + part / 1024));
      const expected = BigInt(wholeMs) * 1_000_000n + (BigInt(part) * 1_000_000n) / 1024n;
      expect(rest.readBigUInt64LE()).toBe(expected);
    }),
  );
});

test('texts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 150 }), (text) => {
      const { key, rest } = written((writer) => writer.text(2, text));
      expect(key).toBe((2 << 3) | 2);
      const { value, length } = varint(rest);
      expect(Number(value)).toBe(rest.length - length);
      expect(rest.subarray(length).toString()).toBe(text);
      // Known or not, a name is the same text.
      for (let time = 0; time < 2; time++) {
        expect(written((writer) => writer.name(2, text))).toEqual({ key, rest });
      }
    }),
  );
});

test('ids', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (id) => {
      const { rest } = written((writer) => writer.hex(2, Buffer.from(id).toString('hex')));
      expect([...rest]).toEqual([id.length, ...id]);
    }),
  );
});

test.each([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])('a message of %d bytes in another', (size) => {
  const writer = new MessageWriter(16);
  const outer = writer.begin(1);
  const inner = writer.begin(2);
  writer.text(1, 'x'.repeat(Math.max(0, size - 6)));
  writer.end(inner);
  writer.fixed32(16, 7);
  writer.end(outer);
  const bytes = Buffer.from(writer.finish());
  const around = varint(bytes.subarray(1));
  const message = bytes.subarray(1 + around.length);
  expect(message.length).toBe(Number(around.value));
  const within = varint(message.subarray(1));
  // Field 16 has a key of two bytes.
  expect([...message.subarray(1 + within.length + Number(within.value))]).toEqual([0x85, 0x01, 7, 0, 0, 0]);
});
