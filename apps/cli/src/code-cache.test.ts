import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCodeCache, writeCodeCache } from './code-cache.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-code-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const codeOf = (entries: readonly (readonly [string, string])[]): ReadonlyMap<string, Buffer> =>
  new Map(entries.map(([name, text]) => [name, Buffer.from(text)]));

test('what was written is read', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[\w.-]{1,20}$/), fc.uint8Array({ maxLength: 40 }))),
      (entries) => {
        const code = new Map(entries.map(([name, bytes]) => [name, Buffer.from(bytes)]));
        const path = join(folder, 'build/command');
        writeCodeCache(path, code);
        expect(readCodeCache(path)).toEqual(code);
      },
    ),
    { numRuns: 50 },
  );
});

test('code is aligned as V8 wants it', () => {
  const path = join(folder, 'command');
  writeCodeCache(
    path,
    codeOf([
      ['a.cjs', 'abc'],
      ['b.cjs', 'd'],
      ['c.cjs', 'efghi'],
    ]),
  );
  const starts = [...(readCodeCache(path)?.values() ?? [])].map(({ byteOffset }) => byteOffset % 8);
  expect(starts).toEqual([0, 0, 0]);
});

test('there is nothing in a file that is missing, empty or cut off', () => {
  const path = join(folder, 'command');
  expect(readCodeCache(path)).toBeUndefined();
  writeCodeCache(
    path,
    codeOf([
      ['a.cjs', 'abcdefgh'],
      ['b.cjs', 'ijklmnop'],
    ]),
  );
  for (let size = readFileSync(path).length - 1; size >= 0; size--) {
    truncateSync(path, size);
    expect(readCodeCache(path)).toBeUndefined();
  }
});

test('a file that others may write is not trusted', () => {
  const path = join(folder, 'command');
  writeCodeCache(path, codeOf([['a.cjs', 'abc']]));
  chmodSync(path, 0o644);
  expect(readCodeCache(path)).toBeDefined();
  for (const mode of [0o620, 0o602]) {
    chmodSync(path, mode);
    expect(readCodeCache(path)).toBeUndefined();
  }
});

test('only the newest folders of other builds are left', () => {
  for (let index = 0; index < 9; index++) {
    const old = join(folder, `old-${index}`);
    mkdirSync(old);
    writeFileSync(join(old, 'command'), '');
    utimesSync(old, 1000 + index, 1000 + index);
  }
  const path = join(folder, 'new/command');
  writeCodeCache(path, codeOf([['a.cjs', 'abc']]));
  const left = ['new', ...[2, 3, 4, 5, 6, 7, 8].map((index) => `old-${index}`)];
  expect(readdirSync(folder).sort()).toEqual(left);
  expect(readdirSync(dirname(path))).toEqual(['command']);
});
