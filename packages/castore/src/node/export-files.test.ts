import { Buffer } from 'node:buffer';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChildProgram } from '../../tests/child-program.ts';
import { B3Digest } from '../b3-digest.ts';
import { hashBlake3 } from '../blake3.ts';
import { Directory } from '../directory.ts';
import { ingestEntries } from '../ingest-entries.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import { type Node, equalNodes } from '../node.ts';
import { PathComponent, SymlinkTarget, pathComponent, symlinkTarget } from '../path-component.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { type ExportOptions, exportToFiles, removeTree } from './export-files.ts';
import { fileSystemEntries } from './file-system-entries.ts';
import { openLocalBlobs } from './local-blobs.ts';

let folder: string;
let target: string;
const blobs = memoryBlobs();
const directories = memoryDirectories();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-export-'));
  target = join(folder, 'target');
});

afterEach(() => removeTree(folder));

const isRoot = process.getuid?.() === 0;

async function file(bytes: Uint8Array, executable = false): Promise<Node> {
  return { kind: 'file', digest: await blobs.put(bytes), size: bytes.length, executable };
}

function link(to: string): Node {
  return { kind: 'symlink', target: symlinkTarget(to) };
}

async function directory(entries: Readonly<Record<string, Node | Promise<Node>>>): Promise<Node> {
  const made = await Promise.all(
    Object.entries(entries).map(async ([name, node]) => ({ name: pathComponent(name), node: await node })),
  );
  const { node } = await stored(Directory.of(made));
  return node;
}

async function stored(made: Directory): Promise<Directory> {
  await directories.put(made);
  return made;
}

const missingFile: Node = {
  kind: 'file',
  digest: new B3Digest(hashBlake3(Uint8Array.of(1, 2, 3))),
  size: 3,
  executable: false,
};

async function importAgain(path: string): Promise<Node> {
  return await ingestEntries(memoryDirectories(), fileSystemEntries(path, { blobs: memoryBlobs() }));
}

function write(node: Node, options: Partial<ExportOptions> = {}): Promise<void> {
  return exportToFiles(node, target, { blobs, directories, ...options });
}

/** Mode and modification time of everything, by its path. */
function metadata(path: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  const visit = (at: string, shown: string): void => {
    const stats = lstatSync(at);
    const mode = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o7777).toString(8);
    all[shown] = `${mode} ${stats.mtimeMs}`;
    if (stats.isDirectory()) for (const name of readdirSync(at)) visit(join(at, name), `${shown}/${name}`);
  };
  visit(path, '');
  return all;
}

test('modes and times are those of a store of Nix', async () => {
  const node = await directory({
    empty: directory({}),
    inner: directory({
      file: file(bytesFor(10)),
      run: file(bytesFor(11), true),
      large: file(bytesFor(200_000), true),
    }),
    link: link('../nowhere'),
  });
  await write(node);
  expect(metadata(target)).toEqual({
    '': '555 1000',
    '/empty': '555 1000',
    '/inner': '555 1000',
    '/inner/file': '444 1000',
    '/inner/large': '555 1000',
    '/inner/run': '555 1000',
    '/link': 'link 1000',
  });
  expect(equalNodes(await importAgain(target), node)).toBe(true);
  expect(readdirSync(folder)).toEqual(['target']);
});

test('a file or a link alone', async () => {
  for (const node of [await file(bytesFor(70_000), true), await file(new Uint8Array(0)), link('x/y')]) {
    await write(node);
    expect(equalNodes(await importAgain(target), node)).toBe(true);
    rmSync(target);
  }
});

test('any tree comes back', async () => {
  const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> =>
    fc
      .uint8Array({ minLength: 1, maxLength })
      .map((it) => it.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte)))
      .filter((it) => !['.', '..'].includes(Buffer.from(it).toString('latin1')));
  type Made = { readonly made: (at: number) => Promise<Node> };
  const leaf = fc.oneof(
    fc
      .record({ size: fc.constantFrom(0, 1, 100, 65_536, 65_537), executable: fc.boolean() })
      .map(({ size, executable }): Made => ({ made: async () => await file(bytesFor(size), executable) })),
    bytes(300).map((to): Made => ({
      made: async () => ({ kind: 'symlink', target: new SymlinkTarget(to) }),
    })),
  );
  const { tree } = fc.letrec<{ tree: Made }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc
        .uniqueArray(fc.tuple(fc.oneof(bytes(8), bytes(255)), tie('tree')), {
          maxLength: 6,
          selector: ([name]) => Buffer.from(name).toString('latin1'),
        })
        .map((entries): Made => ({
          made: async (depth) => {
            const nodes = await Promise.all(
              entries.map(async ([name, it]) => ({
                name: new PathComponent(name),
                node: await it.made(depth + 1),
              })),
            );
            return (await stored(Directory.of(nodes))).node;
          },
        })),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, async ({ made }) => {
      const node = await made(0);
      await write(node);
      expect(equalNodes(await importAgain(target), node)).toBe(true);
      await removeTree(target);
    }),
    { numRuns: 60 },
  );
});

test('many files, and a deep tree', async () => {
  const many = await directory(
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}`, file(bytesFor(i * 50))])),
  );
  let deep: Node = await file(bytesFor(5));
  for (let i = 0; i < 300; i++) deep = await directory({ d: deep });
  const node = await directory({ many, again: many, deep });
  await write(node);
  expect(equalNodes(await importAgain(target), node)).toBe(true);
  for (let i = 0; i < 30; i++) deep = await directory({ ['d'.repeat(200)]: deep });
  target = join(folder, 'too-deep');
  await expect(write(deep)).rejects.toMatchObject({ code: 'io', message: expect.stringContaining(target) });
  expect(readdirSync(folder)).toEqual(['target']);
});

test('from local blobs: hard links and clones', async () => {
  await using local = await openLocalBlobs({ path: join(folder, 'blobs') });
  const bytes = bytesFor(100_000);
  const digest = await local.put(bytes);
  const small = await local.put(bytesFor(50));
  const plain: Node = { kind: 'file', digest, size: 100_000, executable: false };
  const node = await directory({
    plain,
    same: plain,
    run: { ...plain, executable: true },
    small: { kind: 'file', digest: small, size: 50, executable: true },
  });
  const store = await local.filePath(digest, false);
  const inode = lstatSync(store ?? '').ino;
  for (const mode of ['hardlink', 'clone', undefined] as const) {
    const options = { blobs: local, files: local, ...(mode !== undefined && { link: mode }) };
    await write(node, options);
    expect(metadata(target)).toEqual({
      '': '555 1000',
      '/plain': '444 1000',
      '/run': '555 1000',
      '/same': '444 1000',
      '/small': '555 1000',
    });
    const isLinked = ['plain', 'same', 'run'].map((name) => lstatSync(join(target, name)).nlink > 1);
    expect(isLinked).toEqual(mode === 'hardlink' ? [true, true, true] : [false, false, false]);
    expect(lstatSync(join(target, 'plain')).ino === inode).toBe(mode === 'hardlink');
    expect(equalNodes(await importAgain(target), node)).toBe(true);
    await removeTree(target);
  }
  // The blobs' own files have not suffered.
  const problems: string[] = [];
  for await (const { problem } of local.inventory.verify()) problems.push(problem);
  expect(problems).toEqual([]);
  expect(lstatSync(store ?? '').mode & 0o777).toBe(0o444);
});

test('a target that exists is left alone', async () => {
  writeFileSync(target, 'mine');
  await expect(write(await directory({}))).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(`'${target}' exists`),
  });
  expect(readFileSync(target, 'utf8')).toBe('mine');
  expect(readdirSync(folder)).toEqual(['target']);
});

test('a failure leaves nothing behind', async () => {
  const sound = {
    a: directory({ file: file(bytesFor(10)), deep: directory({ x: file(bytesFor(100_000)) }) }),
    l: link('x'),
  };
  const lying: Node = { ...(await file(bytesFor(20))), size: 21 } as Node;
  const absent = Directory.of([{ name: pathComponent('absent'), node: link('x') }]).node;
  const cases: readonly (readonly [Node, string])[] = [
    [await directory({ ...sound, z: directory({ missing: missingFile }) }), 'not-found'],
    [await directory({ ...sound, b: missingFile }), 'not-found'],
    [missingFile, 'not-found'],
    [await directory({ ...sound, z: lying }), 'corrupt'],
    [absent, 'not-found'],
  ];
  for (const [node, code] of cases) {
    await expect(write(node)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual([]);
  }
  target = join(folder, 'no/folder');
  await expect(write(await file(bytesFor(3)))).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining(target),
  });
});

test('an abort leaves nothing behind', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const node = await directory(
    Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`${i}`, directory({ f: file(bytesFor(100_000, `${i}`)) })]),
    ),
  );
  const slow = setTimeout(() => controller.abort(reason), 5);
  await expect(write(node, { signal: controller.signal })).rejects.toBe(reason);
  clearTimeout(slow);
  await expect(write(node, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(!isRoot)(
  'as an ordinary user (skipped for those who are one: all tests are run as such)',
  async () => {
    await using child = await ChildProgram.bundle(`
      import { readdirSync } from 'node:fs';
      import { memoryBlobs } from '../memory-blobs.ts';
      import { memoryDirectories } from '../memory-directories.ts';
      import { ingestEntries } from '../ingest-entries.ts';
      import { fileSystemEntries } from './file-system-entries.ts';
      import { exportToFiles, removeTree } from './export-files.ts';
      const [folder, source] = process.argv.slice(2);
      process.setgid(65534);
      process.setuid(65534);
      const options = { blobs: memoryBlobs(), directories: memoryDirectories() };
      const say = (text) => console.log(text);
      const ingest = (path) => ingestEntries(options.directories, fileSystemEntries(path, options));
      const node = await ingest(source);
      await exportToFiles(node, folder + '/a', options);
      const again = await ingest(folder + '/a');
      say(again.digest.hex === node.digest.hex);
      await ingest(folder + '/secret').catch((error) => say(error.message));
      await removeTree(folder + '/a');
      // The failure comes when some directories are read-only already: the last file has gone.
      const broken = { ...options, blobs: memoryBlobs() };
      await exportToFiles(node, folder + '/b', broken).catch((error) => say(error.code));
      await exportToFiles(node, '/nowhere', options).catch((error) => say(error.code));
      say(readdirSync(folder).join());
    `);
    const source = join(folder, 'source');
    mkdirSync(join(source, 'a/b'), { recursive: true });
    writeFileSync(join(source, 'a/b/file'), 'x');
    writeFileSync(join(source, 'file'), bytesFor(100_000));
    const open = join(folder, 'open');
    mkdirSync(open);
    writeFileSync(join(open, 'secret'), '', { mode: 0 });
    chmodSync(folder, 0o755);
    chownSync(open, 65534, 65534);
    expect(child.run(open, source)).toEqual([
      'true',
      `cannot read '${open}/secret': permission denied`,
      'not-found',
      'io',
      'secret',
    ]);
  },
);

test('a tree whose directories cannot be written to is removed', async () => {
  await write(await directory({ a: directory({ b: directory({ f: file(bytesFor(1)) }) }), l: link('/') }));
  await removeTree(target);
  await removeTree(target);
  expect(existsSync(target)).toBe(false);
});
