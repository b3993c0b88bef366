import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSmallTree } from './is-small-tree.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-small-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function check(path: string): boolean {
  return isSmallTree(Buffer.from(path));
}

/** The folder and so many files, half of them in a folder inside of it. */
function writeFiles(count: number): void {
  mkdirSync(join(folder, 'sub'));
  for (let index = 0; index < count; index++) {
    writeFileSync(Buffer.from(join(folder, index % 2 === 0 ? '' : 'sub', `${index}`)), 'x');
  }
}

test('a tree of up to 100 objects is small, the folders among them', () => {
  writeFiles(98);
  expect(check(folder)).toBe(true);
  writeFileSync(join(folder, 'sub/more'), '');
  expect(check(folder)).toBe(false);
});

test('a tree of up to a MiB is small', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  truncateSync(file, 2 ** 20);
  expect([check(file), check(folder)]).toEqual([true, true]);
  writeFileSync(join(folder, 'other'), 'x');
  expect([check(file), check(folder)]).toEqual([true, false]);
});

test('links are not followed, and names need not be text', () => {
  writeFiles(99);
  const other = mkdtempSync(join(tmpdir(), 'neve-small-'));
  try {
    symlinkSync(folder, join(other, 'link'));
    writeFileSync(Buffer.concat([Buffer.from(`${other}/`), Buffer.from([0x66, 0xff])]), 'x');
    mkdirSync(Buffer.concat([Buffer.from(`${other}/`), Buffer.from([0x67, 0xff])]));
    expect(check(other)).toBe(true);
  } finally {
    rmSync(other, { recursive: true });
  }
});

test('what is not there is not small', () => {
  expect(check(join(folder, 'missing'))).toBe(false);
});
