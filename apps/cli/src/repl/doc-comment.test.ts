import type { Position } from '@neve/diagnostics';
import { expect, test } from 'vitest';
import { commentAt, commentBefore } from './doc-comment.ts';

/** `|` is the position. */
function at(marked: string): Position {
  const offset = marked.indexOf('|');
  const lines = marked.slice(0, offset).split('\n');
  const source = Buffer.from(marked.replace('|', ''));
  // Columns count bytes.
  const column = Buffer.byteLength(lines.at(-1) ?? '') + 1;
  return { origin: { kind: 'string' }, line: lines.length, column, source: () => source };
}

test.each([
  ['{ |/** Adds. */ add = 1; }', 'Adds.'],
  ['{\n  |/**\n    Adds.\n\n      indented\n  */\n  add = 1; }', 'Adds.\n\n  indented'],
  ['é |/** ü */ x', 'ü'],
  ['|/*** no doc comment */ x', undefined],
  ['|/* none either */ x', undefined],
  ['|/**/ x', undefined],
])('%j', (text, expected) => {
  expect(commentAt(at(text))).toBe(expected);
});

test.each([
  ['{ /** One. */ |one = 1; }', 'One.'],
  ['{ /** One. */ # more\n  /* and more */\n  |one = 1; }', 'One.'],
  ['{ /** One. */ zero = 0; |one = 1; }', undefined],
  ['{ /* One. */ |one = 1; }', undefined],
  ['{ # /** One. */\n  |one = 1; }', undefined],
  ['|one', undefined],
])('before %j', (text, expected) => {
  expect(commentBefore(at(text))).toBe(expected);
});
