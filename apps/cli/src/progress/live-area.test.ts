/** What is written to a terminal: sequences as xterm and ECMA-48 have them. */
import { expect, test } from 'vitest';
import { LiveArea } from './live-area.ts';

const frame = (text: string): string => `\x1b[?2026h${text}\x1b[?2026l`;

test('lines are drawn over the ones before, and the cursor is hidden meanwhile', () => {
  const area = new LiveArea({ wrapsAnew: true });
  const draw = (above: string, lines: readonly string[]): string => area.draw({ above, lines, columns: 80 });
  expect(draw('', ['a', 'b'])).toBe(frame('\x1b[?25la\nb'));
  expect(draw('', ['a', 'b'])).toBe('');
  expect(draw('', ['a', 'c', 'd'])).toBe(frame('\r\x1b[1A\x1b[Ja\nc\nd'));
  expect(draw('log\n', ['a'])).toBe(frame('\r\x1b[2A\x1b[Jlog\na'));
  expect(draw('log\n', ['a'])).toBe(frame('\r\x1b[Jlog\na'));
  expect(area.clear(80)).toBe(frame('\r\x1b[J\x1b[?25h'));
  expect(area.clear(80)).toBe('');
});

test('what became too wide for the screen has more rows', () => {
  for (const [wrapsAnew, up] of [
    [true, '\x1b[4A'],
    [false, '\x1b[1A'],
  ] as const) {
    const area = new LiveArea({ wrapsAnew });
    // 25 and 21 columns: three rows and then two and a bit, of ten columns each; colours take none.
    area.draw({ above: '', lines: [`\x1b[31m${'x'.repeat(25)}\x1b[0m`, '日本語'.repeat(3)], columns: 80 });
    expect(area.draw({ above: '', lines: ['y'], columns: 10 })).toBe(frame(`\r${up}\x1b[Jy`));
  }
});
