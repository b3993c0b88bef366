// Sequences are those of xterm (ctlseqs), as infocmp shows them too.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Key, KeyReader } from './keys.ts';

const read = (...chunks: readonly string[]): readonly Key[] => {
  const reader = new KeyReader();
  return chunks.flatMap((chunk) => reader.read(Buffer.from(chunk)));
};
const named = (keys: readonly Key[]): readonly string[] =>
  keys.map((key) => (key.kind === 'name' ? key.name : `${key.kind} ${key.text}`));

test.each([
  ['abc', ['text abc']],
  ['a\r', ['text a', 'enter']],
  ['\x01\x03\x04\x0c\x12\x1a\x1f', ['ctrl-a', 'ctrl-c', 'ctrl-d', 'ctrl-l', 'ctrl-r', 'ctrl-z', 'ctrl-_']],
  ['\x7f\b\t', ['backspace', 'backspace', 'tab']],
  ['\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA\x1bOH', ['up', 'down', 'right', 'left', 'up', 'home']],
  ['\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[3~', ['home', 'end', 'home', 'end', 'delete']],
  ['\x1b[1;5C\x1b[1;5D\x1b[1;3C', ['ctrl-right', 'ctrl-left', 'alt-right']],
  ['\x1bb\x1bf\x1b\x7f\x1b\r', ['alt-b', 'alt-f', 'alt-backspace', 'alt-enter']],
  ['\x1b[200~a\r\nb\tc\x1b[31m\x1b[201~d', ['paste a\nb  c[31m', 'text d']],
  ['\x1b[27;5;9~\x1b[99;99Xa', ['text a']],
  ['é€🙂', ['text é€🙂']],
])('%j', (typed, keys) => {
  expect(named(read(typed))).toEqual(keys);
});

test('it does not matter where what comes is cut', () => {
  const typed = Buffer.from('a\x1b[200~p\nq\x1b[201~\x1b[1;5C\x1bOAé🙂\x1b[3~\r');
  const whole = named(new KeyReader().read(typed)).join('|');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: typed.length }), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), typed.length];
      const reader = new KeyReader();
      const keys = places.slice(1).flatMap((end, index) => reader.read(typed.subarray(places[index], end)));
      expect(named(keys).join('|').replaceAll('|text ', '')).toBe(whole.replaceAll('|text ', ''));
    }),
  );
});
