// What the keys do is what readline(3) says of its Emacs mode.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EditBuffer } from './edit-buffer.ts';

/** `|` is the cursor. */
function after(text: string, keys: string): string {
  const buffer = new EditBuffer();
  const cursor = text.indexOf('|');
  buffer.reset(text.replace('|', ''), cursor);
  for (const key of keys.split(' ')) {
    if (key.startsWith("'")) buffer.insert(key.slice(1));
    else if (key === 'up' || key === 'down') buffer.moveLine(key === 'up' ? -1 : 1);
    else expect(buffer.apply(key), key).toBe(true);
  }
  return `${buffer.text.slice(0, buffer.cursor)}|${buffer.text.slice(buffer.cursor)}`;
}

test.each([
  ['ab|c', "'x", 'abx|c'],
  ['ab|c', 'left', 'a|bc'],
  ['|abc', 'left', '|abc'],
  ['ab|c', 'right right', 'abc|'],
  ['ab|c', 'home', '|abc'],
  ['ab|c', 'ctrl-e', 'abc|'],
  ['ab|c', 'backspace', 'a|c'],
  ['ab|c', 'delete', 'ab|'],
  ['foo.bar-baz|', 'alt-b alt-b', 'foo.|bar-baz'],
  ['|foo.bar baz', 'alt-f alt-f', 'foo.bar| baz'],
  ['foo.bar baz|', 'ctrl-w', 'foo.bar |'],
  ['foo.bar baz|', 'alt-backspace ctrl-y ctrl-y', 'foo.bar bazbaz|'],
  ['foo |bar', 'alt-d', 'foo |'],
  ['foo |bar\nx', 'ctrl-k', 'foo |\nx'],
  ['foo |\nx', 'ctrl-k', 'foo |x'],
  ['foo\nba|r', 'ctrl-u', 'foo\n|r'],
  ['ab|c', 'ctrl-t', 'acb|'],
  ['abc|', 'ctrl-t', 'acb|'],
  ['a|', "'b backspace ctrl-_", 'ab|'],
  ['a🙂|b', 'backspace', 'a|b'],
  ['ae\u0301|b', 'left', 'a|e\u0301b'],
  ['one\ntwo|', 'up', 'one|\ntwo'],
  ['a\nlong|', 'up', 'a|\nlong'],
  ['on|e\ntwo\nx', 'down', 'one\ntw|o\nx'],
  ['a|b', 'alt-enter', 'a\n|b'],
])('%j %s', (text, keys, expected) => {
  expect(after(text, keys)).toBe(expected);
});

test('undoing everything gives back what there was', () => {
  const keys = [
    'backspace',
    'delete',
    'ctrl-k',
    'ctrl-u',
    'ctrl-w',
    'alt-d',
    'ctrl-y',
    'ctrl-t',
    'left',
    'alt-b',
    'end',
  ];
  const key = fc.oneof(
    fc.constantFrom(...keys),
    fc.string().map((text) => `'${text}`),
  );
  fc.assert(
    fc.property(fc.string(), fc.array(key), (text, actions) => {
      const buffer = new EditBuffer();
      buffer.reset(text);
      for (const action of actions) {
        if (action.startsWith("'")) buffer.insert(action.slice(1));
        else buffer.apply(action);
        expect(buffer.cursor).toBeGreaterThanOrEqual(0);
        expect(buffer.cursor).toBeLessThanOrEqual(buffer.text.length);
      }
      for (let left = 0; left < actions.length; left++) buffer.undo();
      expect(buffer.text).toBe(text);
    }),
  );
});
