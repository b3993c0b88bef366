// What another evaluation has described is written when it is needed, with all it refers to, which is there before it.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { EvalIO } from '@neve/eval';
import { type Added, type DirectoryStoreIO, createDirectoryStoreIO, createFileSystemIO } from './index.ts';

const storeDir = '/nix/store';
let folder = '';

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'neve-directory-store-'));
  fs.mkdirSync(join(folder, 'source'));
  fs.writeFileSync(join(folder, 'source/file'), 'of the source');
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function host(name: string, readOnly = false): EvalIO {
  return createFileSystemIO({
    ...{ storeDir, physicalStoreDir: join(folder, name), readOnly, fsync: false, environment: {} },
    onMessage: () => undefined,
  });
}

/** Objects that refer to each other, in the order in which an evaluation describes them. */
function describeAll(): {
  added: Added[];
  paths: Record<'text' | 'source' | 'first' | 'second' | 'unused', string>;
} {
  const added: Added[] = [];
  const io = createDirectoryStoreIO({
    host: host('elsewhere', true),
    storeDir,
    onAdded: (it) => added.push(it),
  });
  const text = io.addTextToStore({ name: 'text', contents: encodeUtf8('a text'), references: [] }) as string;
  const source = io.addPathToStore({
    ...{ path: encodeUtf8(join(folder, 'source')), name: 'source', method: 'nar', hashAlgorithm: 'sha256' },
  }) as { storePath: string };
  const unused = io.addTextToStore({
    name: 'unused',
    contents: encodeUtf8('no use'),
    references: [text],
  }) as string;
  const first = `${storeDir}/ffffffffffffffffffffffffffffffff-first.drv`;
  const second = `${storeDir}/gggggggggggggggggggggggggggggggg-second.drv`;
  void io.writeDerivation({ name: 'first', storePath: first, contents: aterm([], [text, source.storePath]) });
  void io.writeDerivation({ name: 'second', storePath: second, contents: aterm([first], []) });
  return { added, paths: { text, source: source.storePath, first, second, unused } };
}

function aterm(inputs: readonly string[], sources: readonly string[]): Uint8Array {
  const derivations = inputs.map((it) => `("${it}",["out"])`).join(',');
  const texts = [...sources]
    .sort()
    .map((it) => `"${it}"`)
    .join(',');
  return encodeUtf8(`Derive([("out","","","")],[${derivations}],[${texts}],"x","y",[],[])`);
}

function openDirectory(added: readonly Added[]): {
  io: DirectoryStoreIO;
  written: string[];
  there: () => string[];
} {
  const written: string[] = [];
  const io = createDirectoryStoreIO({
    ...{ host: host('store'), storeDir, described: () => added },
    onWritten: (path) => written.push(path),
  });
  const at = join(folder, 'store');
  const there = (): string[] =>
    fs.existsSync(at)
      ? fs
          .readdirSync(at)
          .map((name) => `${storeDir}/${name}`)
          .sort()
      : [];
  return { io, written, there };
}

test('an object is written with what it refers to, which is there first, and nothing else is', () => {
  const { added, paths } = describeAll();
  const { io, written, there } = openDirectory(added);
  expect(there()).toEqual([]);
  io.write([paths.second]);
  expect(there()).toEqual([paths.text, paths.source, paths.first, paths.second].sort());
  const rank = (path: string): number => written.indexOf(path);
  expect(rank(paths.text)).toBeLessThan(rank(paths.first));
  expect(rank(paths.source)).toBeLessThan(rank(paths.first));
  expect(rank(paths.first)).toBeLessThan(rank(paths.second));
  io.write([paths.second, `${storeDir}/hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-unknown`]);
  expect(written).toHaveLength(4);
});

test('what is written refers to what was described', () => {
  const { added, paths } = describeAll();
  const { io, there } = openDirectory(added);
  const own = `${storeDir}/iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii-own.drv`;
  void io.writeDerivation({ name: 'own', storePath: own, contents: aterm([], [paths.unused]) });
  expect(there()).toEqual([paths.text, paths.unused, own].sort());
});

test.for(['readFile', 'fileType', 'isValidStorePath'] as const)(
  '%s finds what was described',
  async (ask) => {
    const { added, paths } = describeAll();
    const { io, there } = openDirectory(added);
    await io[ask](encodeUtf8(paths.text));
    expect(there()).toEqual([paths.text]);
  },
);

test('a file in an object is there', async () => {
  const { added, paths } = describeAll();
  const { io } = openDirectory(added);
  expect(decodeUtf8(await io.readFile(encodeUtf8(`${paths.source}/file`)))).toBe('of the source');
  expect(await io.withContents?.(encodeUtf8(paths.text), (bytes) => bytes.length)).toBe(6);
});

test('a source that has changed since is refused', () => {
  const { added, paths } = describeAll();
  const { io } = openDirectory(added);
  fs.writeFileSync(join(folder, 'source/file'), 'of another time');
  expect(() => io.write([paths.first])).toThrow(/has changed since it was described/);
});

test('contents that are looked at for nothing are given once', async () => {
  const { io } = openDirectory([]);
  fs.writeFileSync(join(folder, 'file'), 'contents');
  const seen: string[] = [];
  await io.withContents?.(encodeUtf8(join(folder, 'file')), (bytes) => {
    seen.push(decodeUtf8(bytes));
    return undefined;
  });
  expect(seen).toEqual(['contents']);
});
