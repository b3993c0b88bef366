// Store paths and messages were printed by Nix 2.34 for the same files: `builtins.path`, `builtins.toFile`,
// `builtins.readFile` and friends.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type AddPathOptions, type EvalIO, EvalIOError } from '@neve/eval';
import { createFileSystemIO } from './index.ts';

const root = fs.mkdtempSync(join(tmpdir(), 'neve-eval-store-'));
const physicalStoreDir = join(root, 'store');
const at = (path: string): Uint8Array => encodeUtf8(join(root, path));

fs.mkdirSync(join(root, 'tree/b/empty'), { recursive: true });
fs.writeFileSync(join(root, 'tree/a'), 'hello');
fs.writeFileSync(join(root, 'tree/B'), '#!/bin/sh\n', { mode: 0o755 });
fs.writeFileSync(join(root, 'tree/b.x'), '12345678');
fs.symlinkSync('../a', join(root, 'tree/b/link'));
fs.writeFileSync(join(root, 'snow'), 'snow\n');
fs.symlinkSync('nowhere', join(root, 'broken'));
fs.symlinkSync('snow', join(root, 'good'));

afterAll(() => {
  for (const entry of fs.readdirSync(physicalStoreDir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) fs.chmodSync(join(entry.parentPath, entry.name), 0o700);
  }
  fs.rmSync(root, { recursive: true, force: true });
});

const messages: string[] = [];

function makeIO(readOnly: boolean): EvalIO {
  return createFileSystemIO({
    storeDir: '/nix/store',
    physicalStoreDir,
    readOnly,
    environment: { HOME: '/home/é' },
    currentTime: 1234,
    onMessage: (level, text) => messages.push(`${level}: ${decodeUtf8(text)}`),
  });
}

function add(io: EvalIO, request: Partial<AddPathOptions> & { path: Uint8Array; name: string }): string {
  const added = io.addPathToStore({ method: 'nar', hashAlgorithm: 'sha256', ...request });
  if (added instanceof Promise) throw new Error('answers come at once');
  return added.storePath;
}

/** What a call throws. */
function failure(call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof EvalIOError)
      return { code: error.code, message: error.message.replaceAll(root, '') };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('contents for one look', () => {
  const file = 'changing';
  const write = (text: string): void => fs.writeFileSync(join(root, file), text);
  const look = (io: EvalIO, path: string): unknown => io.withContents?.(at(path), decodeUtf8);

  test.each([
    ['of a file that nobody asked about', undefined, 'some text'],
    ['of a file that is as it was', 'some text', 'some text'],
    ['of a file that has grown', 'some', 'some text'],
    ['of a file that has shrunk', 'some text', 'some'],
    ['of an empty file', '', ''],
    ['of a file that was emptied', 'some text', ''],
    ['of a file that was empty', '', 'some text'],
    ['of a file that is larger than the buffer', 'a', 'a'.repeat(300_000)],
  ])('%s', (_, before, now) => {
    const io = makeIO(true);
    if (before !== undefined) {
      write(before);
      void io.fileType(at(file));
    }
    write(now);
    expect(look(io, file)).toBe(now);
  });

  test('is what reading gives', () => {
    const io = makeIO(true);
    for (const path of ['tree', 'tree/a', 'good', 'broken', 'nothing', 'tree/a/b']) {
      void io.fileType(at(path));
      const read = (): unknown => decodeUtf8(io.readFile(at(path)) as Uint8Array);
      let expected: unknown;
      try {
        expected = read();
      } catch {
        expect(failure(() => look(io, path))).toEqual(failure(read));
        continue;
      }
      expect(look(io, path)).toBe(expected);
    }
  });
});

describe('looking', () => {
  const io = makeIO(true);

  test('what paths are', () => {
    const paths = [
      'tree',
      'tree/a',
      'tree/B',
      'tree/b/link',
      'broken',
      'missing',
      'snow/below',
      'missing/below',
    ];
    expect(paths.map((path) => io.fileType(at(path)))).toEqual([
      ...['directory', 'regular', 'executable', 'symlink', 'symlink'],
      ...[undefined, undefined, undefined],
    ]);
    expect(io.fileType(encodeUtf8('/dev/null'))).toBe('unknown');
    expect(io.fileType(encodeUtf8('/'))).toBe('directory');
  });

  test('contents', () => {
    expect(io.readFile(at('good'))).toEqual(Buffer.from('snow\n'));
    expect(io.readLink(at('tree/b/link'))).toEqual(Buffer.from('../a'));
    const entries = io.readDirectory(at('tree'));
    if (entries instanceof Promise) throw new Error('answers come at once');
    const listed = entries.map(({ name, type }) => `${decodeUtf8(name)} ${type}`);
    expect(listed.toSorted()).toEqual(['B regular', 'a regular', 'b directory', 'b.x regular']);
  });

  test('a device has no contents, as its size says', () => {
    expect(io.readFile(encodeUtf8('/dev/zero'))).toHaveLength(0);
  });

  test('names that are not UTF-8', () => {
    const name = Buffer.from([0x66, 0xff, 0xfe]);
    const path = Buffer.concat([Buffer.from(`${root}/`), name]);
    fs.writeFileSync(path, 'x');
    try {
      expect(io.readFile(path)).toEqual(Buffer.from('x'));
    } finally {
      fs.rmSync(path);
    }
  });

  test('environment, time and messages', () => {
    expect(io.environmentVariable(encodeUtf8('HOME'))).toEqual(encodeUtf8('/home/é'));
    expect(io.environmentVariable(encodeUtf8('PATH'))).toBeUndefined();
    expect(io.currentTime()).toBe(1234);
    io.message('trace', encodeUtf8('x'));
    expect(messages).toEqual(['trace: x']);
  });

  const { size } = fs.statSync(join(root, 'tree'));
  const failures: [string, () => unknown, string, string][] = [
    ['a missing file', () => io.readFile(at('missing')), 'not-found', "path '/missing' does not exist"],
    ['a file below a file', () => io.readFile(at('snow/x')), 'not-found', "path '/snow/x' does not exist"],
    ['a broken symlink', () => io.readFile(at('broken')), 'not-found', "path '/broken' does not exist"],
    ['a directory', () => io.readFile(at('tree')), 'is-directory', `read of ${size} bytes: Is a directory`],
    ['no directory', () => io.readDirectory(at('missing')), 'not-found', "path '/missing' does not exist"],
    [
      'a list of a file',
      () => io.readDirectory(at('snow')),
      'not-a-directory',
      'cannot read directory "/snow": Not a directory',
    ],
    [
      'a list below a file',
      () => io.readDirectory(at('snow/x')),
      'not-found',
      "path '/snow/x' does not exist",
    ],
    ['a link that is none', () => io.readLink(at('snow')), 'not-a-symlink', "path '/snow' is not a symlink"],
    [
      'a device in the store',
      () => add(io, { path: encodeUtf8('/dev/null'), name: 'null' }),
      'unsupported-file',
      "file '/dev/null' has an unsupported type",
    ],
    [
      'contents that are not what was expected',
      () => add(io, { path: at('snow'), name: 'snow', expected: new Uint8Array(32) }),
      'hash-mismatch',
      "store path mismatch in (possibly filtered) path added from '/snow'",
    ],
    [
      'a path outside the store',
      () => io.toStorePath(at('snow')),
      'not-in-store',
      "path '/snow' is not in the Nix store",
    ],
    [
      'an impossible name',
      () => io.addTextToStore({ name: 'a/b', contents: encodeUtf8('x'), references: [] }),
      'invalid-name',
      "path '9d0sm13c3pj0msx6gd27izjkbmdnpbf2-a/b' is not a valid store path: name 'a/b' contains illegal character '/'",
    ],
  ];
  test.each(failures)('%s', (_, call, code, message) => {
    expect(failure(call)).toEqual({ code, message });
  });

  // Root may; tests/bad-input.test.ts runs the command as somebody who may not.
  test.runIf(process.getuid?.() !== 0)('a file that may not be read', () => {
    fs.writeFileSync(join(root, 'secret'), 'x', { mode: 0 });
    expect(failure(() => io.readFile(at('secret')))).toEqual({
      code: 'permission-denied',
      message: "opening file '/secret': Permission denied",
    });
  });
});

const paths = {
  tree: '/nix/store/6zfip3rxby1aany6f43nsqimp9p8kpdp-tree',
  file: '/nix/store/6mic023ygqwrawdfl8h36p1vs4aixqf5-tree',
  flat: '/nix/store/0yrlkzhgabhwddakjlv2sclxnjrpinw5-plain',
  text: '/nix/store/5jb4n5q9rhsj27c4y15lmizwls7rs1ks-neve.txt',
};

describe.each([true, false])('adding, read only: %s', (readOnly) => {
  test('paths', () => {
    const io = makeIO(readOnly);
    expect(add(io, { path: at('tree'), name: 'tree' })).toBe(paths.tree);
    expect(add(io, { path: at('snow'), name: 'tree' })).toBe(paths.file);
    expect(add(io, { path: at('snow'), name: 'plain', method: 'flat' })).toBe(paths.flat);
    expect(io.addTextToStore({ name: 'neve.txt', contents: encodeUtf8('snow\n'), references: [] })).toBe(
      paths.text,
    );
    for (const path of Object.values(paths)) expect(io.isValidStorePath(encodeUtf8(path))).toBe(!readOnly);
    expect(io.isValidStorePath(encodeUtf8(`${paths.tree}/a`))).toBe(false);
  });

  test('only what a filter accepted', () => {
    const accepted = new Set(['a', 'b', 'b/link']);
    const path = add(makeIO(readOnly), {
      path: at('tree'),
      name: 'filtered',
      accepted: { has: (relative) => accepted.has(decodeUtf8(relative)) },
    });
    expect(path).toBe('/nix/store/vlbbdjhpkgn95l3ylfcbi8gcdkhm8qig-filtered');
  });
});

test('what is written is read only, old, complete and alone', () => {
  const io = makeIO(false);
  const drv = '/nix/store/00000000000000000000000000000000-x.drv';
  void io.writeDerivation({
    name: 'x.drv',
    contents: encodeUtf8('Derive()'),
    storePath: drv,
  });
  expect(io.readFile(encodeUtf8(drv))).toEqual(Buffer.from('Derive()'));
  expect(io.readFile(encodeUtf8(`${paths.tree}/b/link`))).toEqual(Buffer.from('hello'));

  const status = (path: string): string => {
    const stats = fs.lstatSync(join(physicalStoreDir, path));
    return `${(stats.mode & 0o7777).toString(8)} ${stats.mtimeMs / 1000}`;
  };
  const tree = paths.tree.slice('/nix/store/'.length);
  expect(['', '/a', '/B', '/b'].map((path) => status(tree + path))).toEqual([
    '555 1',
    '444 1',
    '555 1',
    '555 1',
  ]);
  expect(fs.lstatSync(join(physicalStoreDir, tree, 'b/link')).mtimeMs).toBe(1000);
  expect(fs.readdirSync(physicalStoreDir).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a copy that fails leaves nothing behind', () => {
  fs.mkdirSync(join(root, 'bad/inner'), { recursive: true });
  fs.writeFileSync(join(root, 'bad/a'), 'x');
  const before = fs.readdirSync(physicalStoreDir);
  const io = makeIO(false);
  add(makeIO(true), { path: at('bad'), name: 'bad' });
  fs.symlinkSync('/dev/null', join(root, 'bad/inner/link'));
  let calls = 0;
  // The set says something else when it is asked the second time, as if the tree had changed.
  const accepted = { has: () => calls++ < 3 };
  expect(failure(() => add(io, { path: at('bad'), name: 'bad', accepted })).code).toBe('io-error');
  expect(fs.readdirSync(physicalStoreDir)).toEqual(before);
});
