import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SourceLines, diagnosticsIn, lengthOfBytes } from './problems.ts';
import { parser } from './nix-language/parser.ts';

test('bytes of a text as UTF-16 units', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
      const bytes = new TextEncoder().encode(before).length;
      expect(lengthOfBytes(before + after, bytes)).toBe(before.length);
    }),
  );
});

test('a place as an offset', () => {
  const lines = new SourceLines('a\nüb c\n');
  expect(lines.offset({ line: 1, column: 1 })).toBe(0);
  expect(lines.offset({ line: 2, column: 5 })).toBe(5);
  expect(lines.offset({ line: 9, column: 1 })).toBe(7);
});

test('an error elsewhere is shown where this file led to it', () => {
  const text = 'import ./other.nix 1';
  const problem = {
    severity: 'error',
    message: 'no',
    rendered: 'error: no',
    place: { file: 'other.nix', line: 1, column: 4 },
    traces: [{ message: 'while', place: { file: 'main.nix', line: 1, column: 1 } }],
  } as const;
  const tree = parser.parse(text);
  expect(diagnosticsIn('main.nix', { text, tree, problems: [problem] })).toMatchObject([{ from: 0, to: 6 }]);
  expect(diagnosticsIn('third.nix', { text, tree, problems: [problem] })).toEqual([]);
});
