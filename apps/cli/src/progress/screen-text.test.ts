/** Widths are those of wcwidth in glibc 2.41 and of East Asian Width; sequences are from ECMA-48 and xterm's documentation. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { harmless, lineWidth, renderLine, textWidth } from './screen-text.ts';

test.each([
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 1],
  ['日本語', 6],
  ['한국어', 6],
  ['ｆｕｌｌ', 8],
  ['🚀', 2],
  ['▸ ✓ ✗ ○ ↓', 9],
  ['\u200b', 0],
])('%j takes %i columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test.each([
  ['plain', 'plain'],
  ['a\x1b[2Jb\x1b[10;3Hc', 'abc'],
  ['\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link', 'textlink'],
  ['bell\x07 back\x08 nul\x00 del\x7f csi\x9b', 'bell back nul del csi'],
  ['10%\r20%\r', '20%'],
  ['a\tb', 'a    b'],
  ['\x1bPq...\x1b\\x\x1bcy', 'xy'],
  ['cut off \x1b[3', 'cut off 3'],
  ['a\u202eb', 'ab'],
])('%j is shown as %j', (text, expected) => {
  expect(harmless(text, { colour: false })).toBe(expected);
});

test('colours stay where they are wanted, and end with the line', () => {
  expect(harmless('\x1b[31mred\x1b[K', { colour: true })).toBe('\x1b[31mred\x1b[0m');
  expect(harmless('\x1b[31mred', { colour: false })).toBe('red');
});

test('nothing that is left can change a terminal', () => {
  const pieces = fc.constantFrom(
    '\x1b',
    '[',
    ']',
    '?',
    ';',
    '2',
    'J',
    'm',
    '\x07',
    '\\',
    'P',
    'a',
    '\x9b',
    '\r',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((it) => it.join('')),
      ),
      (text) => {
        const line = text.replaceAll('\n', '');
        // oxlint-disable-next-line no-control-regex -- they must not be there
        expect(harmless(line, { colour: false })).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        // oxlint-disable-next-line no-control-regex -- only colours are left
        expect(harmless(line, { colour: true }).replace(/\x1b\[[0-9;:]*m/g, '')).not.toMatch(
          /[\x00-\x1f\x7f-\x9f]/,
        );
      },
    ),
  );
});

test('a line is cut where the screen ends, between whole characters', () => {
  const line = [{ text: 'ab', style: 'red' }, { text: '日本語' }] as const;
  const render = (columns: number, colour = false): string =>
    renderLine(line, { columns, colour, ellipsis: '…' });
  expect(render(8)).toBe('ab日本語');
  expect(render(7)).toBe('ab日本…');
  expect(render(6)).toBe('ab日…');
  expect(render(2)).toBe('a…');
  expect(render(0)).toBe('');
  expect(render(2, true)).toBe('\x1b[31ma\x1b[0m…');
});

test('a line is never wider than it may be', () => {
  const text = fc
    .oneof(fc.string({ unit: 'grapheme' }), fc.string())
    .map((it) => harmless(it, { colour: false }));
  fc.assert(
    fc.property(fc.array(text), fc.nat(40), (texts, columns) => {
      const line = texts.map((it) => ({ text: it }));
      const shown = renderLine(line, { columns, colour: false, ellipsis: '…' });
      expect(textWidth(shown)).toBeLessThanOrEqual(columns);
      if (lineWidth(line) <= columns) expect(shown).toBe(texts.join(''));
    }),
  );
});
