import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BuildTimes } from './build-times.ts';

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'neve-build-times-')), 'build-times.json');
}

test('the median of the last builds is expected, by name and else by package', () => {
  const file = newFile();
  const times = new BuildTimes(file);
  expect(times.expectedMs('hello-2.12')).toBeUndefined();
  for (const ms of [9000, 1000, 5000, 2000, 3000, 4000]) times.record('hello-2.12', ms);
  times.record('hello-2.13', 7000);
  times.record('hello-world', 100);
  times.save();
  const later = new BuildTimes(file);
  // The first of six is forgotten.
  expect(later.expectedMs('hello-2.12')).toBe(3000);
  expect(later.expectedMs('hello-3.0')).toBe(7000);
  expect(later.expectedMs('hello-world')).toBe(100);
  expect(later.expectedMs('other')).toBeUndefined();
});

test('what others wrote meanwhile stays, and nothing is left beside the file', () => {
  const file = newFile();
  const [one, two] = [new BuildTimes(file), new BuildTimes(file)];
  one.record('a', 1);
  two.record('b', 2);
  one.save();
  two.save();
  expect(new BuildTimes(file).expectedMs('a')).toBe(1);
  expect(new BuildTimes(file).expectedMs('b')).toBe(2);
  expect(readdirSync(join(file, '..'))).toEqual(['build-times.json']);
});

test('there is an end to the names that are kept', () => {
  const file = newFile();
  const times = new BuildTimes(file);
  for (let n = 0; n < 5010; n++) times.record(`p${n}x`, n);
  times.save();
  const later = new BuildTimes(file);
  expect(later.expectedMs('p9x')).toBeUndefined();
  expect(later.expectedMs('p10x')).toBe(10);
});

test.each([
  '',
  'no json',
  '[]',
  '{"version":2,"times":{"a":[1]}}',
  '{"version":1,"times":{"a":["x",-1,null]}}',
])('a file that is %j is of no help and does no harm', (text) => {
  const file = newFile();
  const times = new BuildTimes(file);
  times.record('b', 1);
  times.save();
  writeFileSync(file, text);
  expect(new BuildTimes(file).expectedMs('a')).toBeUndefined();
  times.record('b', 2);
  times.save();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, times: { b: [2] } });
});

test('where nothing can be written, nothing happens', () => {
  const times = new BuildTimes('/proc/no-such-folder/build-times.json');
  times.record('a', 1);
  expect(() => times.save()).not.toThrow();
});
