import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { History, parseHistory, printEntry } from './history.ts';

const folder = mkdtempSync(join(tmpdir(), 'neve-history-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('entries are read as they were written', () => {
  const line = fc.stringMatching(/^[a\\ "]*$/);
  const entry = fc
    .array(line, { minLength: 1, maxLength: 4 })
    .map((lines) => lines.join('\n'))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      expect(parseHistory(entries.map(printEntry).join(''))).toEqual(entries);
    }),
  );
});

test('a file of plain lines, as other programs write it, is those lines', () => {
  expect(parseHistory('1 + 1\n:q\nx = 1')).toEqual(['1 + 1', ':q', 'x = 1']);
  expect(parseHistory('')).toEqual([]);
});

test('prompts share the file, which is for its owner only', () => {
  const path = join(folder, 'deep/history');
  const first = History.open(path);
  const second = History.open(path);
  first.add('a');
  second.add('b\n  c');
  first.add(' ');
  first.add('a');
  second.add('b\n  c');
  expect(History.open(path).entries).toEqual(['a', 'b\n  c']);
  expect(readFileSync(path, 'utf8')).toBe('a\nb\\\n  c\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('what cannot be read or written is no failure', () => {
  writeFileSync(join(folder, 'file'), '');
  const history = History.open(join(folder, 'file/history'));
  history.add('a');
  expect(history.entries).toEqual(['a']);
});

test('the newest entry that has a text is found', () => {
  const history = History.open(undefined);
  for (const entry of ['one', 'two', 'three']) history.add(entry);
  expect(history.find('e', 3)).toBe(2);
  expect(history.find('e', 2)).toBe(0);
  expect(history.find('e', 0)).toBeUndefined();
});

test('a file that has grown too long is cut', () => {
  const path = join(folder, 'long');
  writeFileSync(path, Array.from({ length: 20_001 }, (_, index) => `${index}\n`).join(''));
  expect(History.open(path).entries).toHaveLength(10_000);
  expect(readFileSync(path, 'utf8').startsWith('10001\n')).toBe(true);
});
