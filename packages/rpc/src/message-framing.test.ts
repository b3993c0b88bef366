import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageReader, framed } from './message-framing.ts';

test('a message is its length and its bytes', () => {
  expect([...framed(Uint8Array.of(1, 2, 3))]).toEqual([0, 0, 0, 0, 3, 1, 2, 3]);
});

test('messages are read as they were written, in whatever pieces they come', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), pieces, (messages, sizes) => {
      const stream = messages.flatMap((it) => [...framed(it)]);
      const read: number[][] = [];
      const reader = new MessageReader((it) => read.push([...it]));
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        reader.take(Uint8Array.from(stream.slice(at, at + size)));
        at += size;
      }
      expect(read).toEqual(messages.map((it) => [...it]));
    }),
  );
});

test('what is compressed or much too long is refused', () => {
  const reader = new MessageReader(() => undefined);
  expect(() => reader.take(Uint8Array.of(1, 0, 0, 0, 0))).toThrow('compressed');
  expect(() => reader.take(Uint8Array.of(0, 0xff, 0, 0, 0))).toThrow('bytes');
});
