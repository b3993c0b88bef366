import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineTable } from './index.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

test('every offset is on the line that holds it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\t', 'é'), maxLength: 30 });
  const property = fc.property(text, (source) => {
    const bytes = encoder.encode(source);
    const table = new LineTable(bytes);
    const lines = source.split(/\r\n|\r|\n/);
    expect(table.lineCount).toBe(lines.length);
    expect(lines.map((_, i) => decoder.decode(table.line(i + 1)))).toEqual(lines);
    for (let offset = 0; offset <= bytes.length; offset++) {
      const { line, column } = table.locate(offset);
      const before = decoder.decode(bytes.subarray(0, offset - column + 1));
      expect(before.split(/\r\n|\r|\n/).length).toBe(line);
    }
  });
  fc.assert(property);
});

test('there is no line before the first or after the last', () => {
  const table = new LineTable(encoder.encode('a\nb'));
  expect([0, 1, 2, 3].map((line) => table.line(line) !== undefined)).toEqual([false, true, true, false]);
});
