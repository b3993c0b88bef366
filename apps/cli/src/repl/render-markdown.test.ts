import { expect, test } from 'vitest';
import { renderMarkdown } from './render-markdown.ts';

const plain = (markdown: string, columns = 20): string =>
  renderMarkdown(markdown, { colour: false, columns });

test.each([
  ['one two three four five six', 'one two three four\nfive six'],
  ['one\ntwo\n\nthree', 'one two\n\nthree'],
  ['one\\\ntwo', 'one\ntwo'],
  ['# Title\ntext', 'Title\n\ntext'],
  ['a **b** `c` *d* [e](http://f)', 'a b c d\ne'],
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['`**x**`', '**x**'],
  ['- one\n- two and more than fits\n  - inner', '  · one\n  · two and more\n    than fits\n    · inner'],
  ['1. one\n2. two', '  1. one\n  2. two'],
  ['```nix\nx:\n  y\n```\nafter', '  │ x:\n  │   y\n\nafter'],
  ['text\n\n    code\n\n      more\n\nafter', 'text\n\n  │ code\n  │ \n  │   more\n\nafter'],
  ['::: {.note}\nnote\n:::', 'note'],
])('%j', (markdown, expected) => {
  expect(plain(markdown)).toBe(expected);
});

test('with colours, words stand out', () => {
  const text = renderMarkdown('`a` **b** *c*', { colour: true, columns: 80 });
  expect(text.replaceAll('\u001B', '^')).toBe('^[1ma^[0m ^[1mb^[0m ^[3mc^[0m');
});
