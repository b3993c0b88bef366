import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NixCompatError } from '../index.ts';
import { type LogFrame, logFrame } from '../protocols.ts';
import { speaking } from '../../tests/protocol-values.ts';
import { decodeWire, encodeWire } from '../wire/wire-codec.ts';

const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const fields = fc.array(fc.oneof(id, fc.string()), { maxLength: 4 });
const kind = <K extends LogFrame['kind']>(it: K): fc.Arbitrary<K> => fc.constant(it);

const plainFrame: fc.Arbitrary<LogFrame> = fc.oneof(
  fc.record({ kind: kind('next'), text: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: kind('read'), size: fc.maxSafeNat() }),
  fc.record({ kind: kind('write'), bytes: fc.uint8Array() }),
  fc.record({ kind: kind('last') }),
);

const activityFrame: fc.Arbitrary<LogFrame> = fc.oneof(
  fc.record({
    kind: kind('startActivity'),
    id,
    level: fc.nat(7),
    type: fc.constantFrom('build' as const, 'unknown' as const, 'fetchTree' as const, 9999),
    text: fc.string(),
    fields,
    parent: id,
  }),
  fc.record({ kind: kind('stopActivity'), id }),
  fc.record({
    kind: kind('result'),
    id,
    type: fc.constantFrom('progress' as const, 'buildLogLine' as const, 7),
    fields,
  }),
);

const error = fc.record({ level: fc.nat(7), message: fc.string(), traces: fc.array(fc.string()) });

const again = (frame: LogFrame, minor: number): LogFrame =>
  decodeWire(logFrame, encodeWire(logFrame, frame, speaking(minor)), speaking(minor));

const same = (it: LogFrame): LogFrame => ({ ...it });

describe('frames come out as they went in', () => {
  test('messages and streams', () => {
    fc.assert(
      fc.property(plainFrame, fc.integer({ min: 10, max: 38 }), (it, minor) => {
        expect(again(it, minor)).toEqual(same(it));
      }),
    );
  });

  test('activities', () => {
    fc.assert(
      fc.property(activityFrame, (it) => {
        expect(again(it, 20)).toEqual(same(it));
      }),
    );
  });

  test('errors, as they are since 1.26', () => {
    fc.assert(
      fc.property(error, (it) => {
        expect(again({ kind: 'error', error: it }, 26)).toEqual({ kind: 'error', error: { ...it } });
      }),
    );
  });

  test('errors, as they were before', () => {
    fc.assert(
      fc.property(error, fc.nat(255), ({ message }, exitStatus) => {
        const old = { level: 0, message, traces: [], exitStatus };
        expect(again({ kind: 'error', error: old }, 25)).toEqual({ kind: 'error', error: old });
      }),
    );
  });
});

test('an activity cannot be told to a client before 1.20', () => {
  expect(() => encodeWire(logFrame, { kind: 'stopActivity', id: 1n }, speaking(19))).toThrow(NixCompatError);
});

/** Numbers and strings as bytes, by hand. */
function raw(...parts: readonly (number | string)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      const word = (value: number): number[] =>
        Array.from({ length: 8 }, (_, i) => Math.floor(value / 256 ** i) % 256);
      if (typeof part === 'number') return word(part);
      const bytes = Array.from(part, (it) => it.charCodeAt(0));
      return [...word(bytes.length), ...bytes, ...Array<number>((8 - (bytes.length % 8)) % 8).fill(0)];
    }),
  );
}

test('the bytes are those of Nix', () => {
  expect(encodeWire(logFrame, { kind: 'next', text: 'hello\n' }, speaking(38))).toEqual(
    raw(0x6f6c6d67, 'hello\n'),
  );
  expect(encodeWire(logFrame, { kind: 'last' }, speaking(38))).toEqual(raw(0x616c7473));
  const failed: LogFrame = { kind: 'error', error: { level: 0, message: 'no', traces: ['while asking'] } };
  expect(encodeWire(logFrame, failed, speaking(38))).toEqual(
    raw(0x63787470, 'Error', 0, 'Error', 'no', 0, 1, 0, 'while asking'),
  );
  const start: LogFrame = {
    kind: 'startActivity',
    id: 5n,
    level: 3,
    type: 'build',
    text: 'x',
    fields: ['a', 2n],
    parent: 0n,
  };
  expect(encodeWire(logFrame, start, speaking(38))).toEqual(
    raw(0x53545254, 5, 3, 105, 'x', 2, 1, 'a', 0, 2, 0),
  );
});

test.each([
  ['an unknown frame', raw(0x1234)],
  ['an unknown field', raw(0x52534c54, 1, 101, 1, 2, 0)],
  ['an error of another type', raw(0x63787470, 'Warning', 0, 'Error', 'no', 0, 0)],
  ['an error with a position', raw(0x63787470, 'Error', 0, 'Error', 'no', 1, 0)],
  ['a trace with a position', raw(0x63787470, 'Error', 0, 'Error', 'no', 0, 1, 1, 'x')],
])('%s is refused', (_, bytes) => {
  expect(() => decodeWire(logFrame, bytes, speaking(38))).toThrow(
    expect.objectContaining({ code: 'bad-message' }),
  );
});
