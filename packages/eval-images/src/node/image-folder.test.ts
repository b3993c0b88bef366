import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { ImageFolder } from './image-folder.ts';

const folders: string[] = [];

function newFolder(maxBytes?: number): ImageFolder {
  const parent = fs.mkdtempSync(join(tmpdir(), 'neve-image-folder-'));
  folders.push(parent);
  return new ImageFolder({ path: join(parent, 'images'), maxBytes });
}

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

/** The only file of a folder with one entry. */
function fileOf(folder: ImageFolder): string {
  const names = fs.readdirSync(folder.path);
  expect(names).toHaveLength(1);
  return join(folder.path, names[0] ?? '');
}

const name = { kind: 'result', key: 'a key' };
const none = new Uint8Array();

test('what was put is found, by all of its key', () => {
  const folder = newFolder();
  fc.assert(
    fc.property(
      fc.string(),
      fc.jsonValue(),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.uint8Array({ maxLength: 60 })),
      fc.constantFrom('checksum' as const, 'reader' as const, 'disk' as const),
      (key, info, reads, words, payloadCheck) => {
        const pieces = words.map((it) => it.subarray(0, it.length - (it.length % 4)));
        expect(folder.put({ kind: 'image', key, info, reads, payload: pieces, payloadCheck })).toBe(true);
        using entry = folder.find({ kind: 'image', key });
        expect(JSON.stringify(entry?.info)).toBe(JSON.stringify(info));
        expect(Buffer.from(entry?.reads ?? none).equals(reads)).toBe(true);
        expect(Buffer.from(entry?.payload() ?? none).equals(Buffer.concat(pieces))).toBe(true);
        expect(folder.find({ kind: 'image', key: `${key} ` })).toBeUndefined();
        expect(folder.find({ kind: 'result', key })).toBeUndefined();
        folder.remove({ kind: 'image', key });
        expect(folder.find({ kind: 'image', key })).toBeUndefined();
      },
    ),
    { numRuns: 60 },
  );
  expect(folder.problem).toBeUndefined();
});

test('a payload is written piece by piece, and begins at a page', () => {
  const folder = newFolder();
  const writeTo = (write: (piece: Uint8Array) => void): void => {
    for (let i = 0; i < 5; i++) write(new Uint8Array(4096).fill(i));
  };
  expect(folder.put({ ...name, info: {}, reads: none, payload: { sizeBytes: 20_480, writeTo } })).toBe(true);
  expect(fs.statSync(fileOf(folder)).size).toBe(4096 + 20_480);
  using entry = folder.find(name);
  const payload = entry?.payload();
  expect([payload?.[0], payload?.[4096], payload?.[20_479]]).toEqual([0, 1, 4]);
});

test('a payload that fails, or is of another length than was said, leaves nothing behind', () => {
  const folder = newFolder();
  const failing = (): never => {
    throw new Error('out of ideas');
  };
  const put = (writeTo: (write: (piece: Uint8Array) => void) => void): boolean =>
    folder.put({ ...name, info: {}, reads: none, payload: { sizeBytes: 8, writeTo } });
  expect(put(failing)).toBe(false);
  expect(folder.problem).toBe('out of ideas');
  expect(put((write) => write(new Uint8Array(4)))).toBe(false);
  expect(folder.problem).toContain('has 4 bytes, not 8');
  expect(fs.readdirSync(folder.path)).toEqual([]);
});

test('every changed, missing or additional byte is noticed, and the entry replaced', () => {
  const folder = newFolder();
  const put = (): boolean =>
    folder.put({
      ...name,
      info: { a: 1 },
      reads: Uint8Array.of(1, 2, 3),
      payload: [new Uint8Array(12).fill(7)],
    });
  put();
  const whole = fs.readFileSync(fileOf(folder));
  const isWhole = (bytes: Uint8Array): boolean => {
    put();
    fs.writeFileSync(fileOf(folder), bytes);
    using entry = folder.find(name);
    return entry?.payload() !== undefined;
  };
  expect(isWhole(whole)).toBe(true);
  const readsStart = 64 + 'a key'.length + '{"a":1}'.length;
  const headEnd = readsStart + 3;
  // Reads are checked by who reads them, and what lies between head and payload is not read.
  for (let at = 0; at < whole.length; at = at === readsStart - 1 ? 4096 : at + 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    expect([at, isWhole(changed)]).toEqual([at, false]);
    expect(fs.readdirSync(folder.path)).toEqual([]);
  }
  for (const length of [0, 1, 63, 64, headEnd, 4095, 4096, whole.length - 1]) {
    expect(isWhole(whole.subarray(0, length))).toBe(false);
  }
  expect(isWhole(Buffer.concat([whole, Buffer.from('x')]))).toBe(false);
  expect(isWhole(Buffer.from('something else entirely'))).toBe(false);
});

test('what others may write is not taken', () => {
  const folder = newFolder();
  folder.put({ ...name, info: {}, reads: none });
  fs.chmodSync(fileOf(folder), 0o620);
  expect(folder.find(name)).toBeUndefined();
  const path = fileOf(folder);
  fs.renameSync(path, `${path}.real`);
  fs.chmodSync(`${path}.real`, 0o600);
  fs.symlinkSync(`${path}.real`, path);
  expect(folder.find(name)).toBeUndefined();
});

test('an entry that is open stays readable when it is replaced or removed', () => {
  const folder = newFolder();
  const put = (fill: number): boolean =>
    folder.put({ ...name, info: fill, reads: none, payload: [new Uint8Array(1 << 20).fill(fill)] });
  put(1);
  using first = folder.find(name);
  put(2);
  folder.clear();
  expect(first?.info).toBe(1);
  expect(first?.payload()?.every((byte) => byte === 1)).toBe(true);
  expect(folder.find(name)).toBeUndefined();
});

test('parts of an entry are read by several threads', async () => {
  const folder = newFolder();
  const name = { kind: 'image', key: 'parts' };
  const payload = Uint8Array.from({ length: 5_000_000 }, (_, index) => index % 251);
  folder.put({ ...name, info: {}, reads: none, payload: [payload], payloadCheck: 'reader' });
  using entry = folder.find(name);
  const parts = [100, 0, 4_000_000, 7].map((length) => new Uint8Array(length));
  await entry?.readParts(parts, 13);
  let at = 13;
  for (const part of parts) {
    expect(Buffer.compare(part, payload.subarray(at, at + part.length))).toBe(0);
    at += part.length;
  }
  const past = entry?.readParts([new Uint8Array(8)], payload.length - 7);
  await expect(past).rejects.toThrow('is shorter than it says');
  fs.truncateSync(entry?.path ?? '', 1_000_000);
  await expect(entry?.readParts(parts, 13)).rejects.toThrow('is shorter than it says');
});

test('what was used longest ago goes when there is too much', () => {
  const folder = newFolder(50_000);
  const put = (key: string): boolean =>
    folder.put({ kind: 'image', key, info: {}, reads: none, payload: [new Uint8Array(9000)] });
  const age = (key: string, minutes: number): void => {
    using entry = folder.find({ kind: 'image', key });
    if (entry === undefined) throw new Error(`${key} is gone`);
    const time = Date.now() / 1000 - minutes * 60;
    fs.utimesSync(entry.path, time, time);
  };
  for (const [index, key] of ['a', 'b', 'c'].entries()) {
    put(key);
    age(key, 30 - index * 10);
  }
  // Looking at it is a use.
  folder.find({ kind: 'image', key: 'a' })?.[Symbol.dispose]();
  put('d');
  expect(
    folder
      .list()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(['a', 'c', 'd']);
  expect(folder.put({ ...name, info: {}, reads: none, payload: [new Uint8Array(60_000)] })).toBe(false);
  expect(folder.problem).toContain('larger than the folder may become');
});

test('what somebody gave up writing goes after an hour, what others keep there never', () => {
  const folder = newFolder();
  folder.put({ ...name, info: {}, reads: none });
  const at = (file: string): string => join(folder.path, file);
  for (const file of ['.new-1-old', '.new-2-young', 'notes.txt']) fs.writeFileSync(at(file), 'x');
  const longAgo = Date.now() / 1000 - 2 * 60 * 60;
  for (const file of ['.new-1-old', 'notes.txt']) fs.utimesSync(at(file), longAgo, longAgo);
  folder.put({ ...name, info: {}, reads: none });
  expect(fs.readdirSync(folder.path).sort().slice(0, 2)).toEqual(['.new-2-young', 'notes.txt']);
  expect(folder.clear().files).toBe(2);
  expect(fs.readdirSync(folder.path)).toEqual(['notes.txt']);
});

test('where no folder can be, nothing is kept and nothing fails', () => {
  const folder = newFolder();
  fs.writeFileSync(folder.path, 'a file');
  expect(folder.put({ ...name, info: {}, reads: none })).toBe(false);
  expect(folder.find(name)).toBeUndefined();
  expect(folder.list()).toEqual([]);
  expect(folder.problem).toMatch(/ENOTDIR|EEXIST/);
  expect(folder.writingProblem()).toMatch(/EEXIST|ENOTDIR/);
  expect(newFolder().list()).toEqual([]);
  expect(newFolder().writingProblem()).toBeUndefined();
});
