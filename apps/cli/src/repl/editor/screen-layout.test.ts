import { expect, test } from 'vitest';
import { cursorRowAt, layOut } from './screen-layout.ts';

const lay = (text: string, cursor: number, columns = 10) =>
  layOut({ prompt: 'p> ', continuation: '.> ', text, cursor }, columns);

test.each([
  ['abc', 3, 'p> abc', 0, 6],
  ['abc', 0, 'p> abc', 0, 3],
  // The last column is filled: the cursor is in the next row, which must be there.
  ['abcdefg', 7, 'p> abcdefg\r\n', 1, 0],
  ['abcdefg', 6, 'p> abcdefg\r\n', 0, 9],
  ['abcdefgh', 8, 'p> abcdefg\r\nh', 1, 1],
  ['a\nb', 3, 'p> a\r\n.> b', 1, 4],
  ['a\nb', 1, 'p> a\r\n.> b', 0, 4],
  // A wide character is not cut.
  ['abcdef日', 7, 'p> abcdef\r\n日', 1, 2],
])('%j with the cursor at %i', (text, cursor, output, row, column) => {
  const layout = lay(text, cursor);
  expect(layout.output).toBe(output);
  expect(layout.cursor).toEqual({ row, column });
});

test('rows that a narrower screen has wrapped anew are counted', () => {
  const layout = lay('abcdefghijklm', 13);
  expect(layout.cursor).toEqual({ row: 1, column: 6 });
  expect(cursorRowAt(layout, 10)).toBe(1);
  expect(cursorRowAt(layout, 5)).toBe(3);
  expect(cursorRowAt(layout, 40)).toBe(1);
});
