/** The same tree by way of all importers, made by GNU tar, its compressors, Python's zip and git. */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportTar } from '../export-tar.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import { Directory } from '../directory.ts';
import type { Node } from '../node.ts';
import { pathComponent, symlinkTarget } from '../path-component.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { removeTree } from './export-files.ts';
import { FileCache } from './file-cache.ts';
import { ingestFiles, ingestGit, ingestTar, ingestZip } from './ingest-sources.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';

let folder: string;
let root: string;
let expected: Node;
const target = { blobs: memoryBlobs(), directories: memoryDirectories() };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neve-ingest-'));
  root = join(folder, 'root');
  mkdirSync(join(root, 'inner/deep', 'n'.repeat(200)), { recursive: true });
  writeFileSync(join(root, 'run'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(root, 'inner/deep/large'), bytesFor(1 << 20));
  writeFileSync(join(root, 'inner/deep', 'n'.repeat(200), 'ö'.repeat(100)), 'long');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x20])]), 'not UTF-8');
  symlinkSync(`../${'x/'.repeat(100)}`, join(root, 'inner/link'));
  expected = await ingestFiles(root, target);
});

afterAll(() => removeTree(folder));

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { cwd: root, stdio: 'pipe' });
}

test.each(['', '--gzip', '--bzip2', '--xz', '--zstd'])('tar %s', async (compression) => {
  const archive = join(folder, `archive${compression}`);
  run('tar', ...(compression === '' ? [] : [compression]), '-cf', archive, '.');
  expect(await ingestTar(createReadStream(archive), { ...target, strip: 'never' })).toEqual(expected);
  run('tar', ...(compression === '' ? [] : [compression]), '-C', folder, '-cf', archive, 'root');
  expect(await ingestTar(createReadStream(archive), { ...target, strip: 'always' })).toEqual(expected);
});

test('zip', async () => {
  const archive = join(folder, 'archive.zip');
  run('python3', '-m', 'zipfile', '-c', archive, 'inner/deep');
  const node = await ingestZip(archive, { ...target, strip: 'always' });
  expect(node).toEqual(
    await ingestFiles(join(root, 'inner'), { ...target, filter: (path) => String(path[0]) === 'deep' }).then(
      deep,
    ),
  );
});

/** The entry `deep` of a directory. */
async function deep(node: Node): Promise<Node | undefined> {
  if (node.kind !== 'directory') return undefined;
  return (await target.directories.get(node.digest))?.get(pathComponent('deep'));
}

test('git', async () => {
  const git = (...args: readonly string[]): void => {
    run('git', '-c', 'user.name=n', '-c', 'user.email=e', ...args);
  };
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message=m');
  expect(await ingestGit(root, 'HEAD', target)).toEqual(expected);
  rmSync(join(root, '.git'), { recursive: true });
});

test('files with a cache', async () => {
  await using environment = await LmdbEnvironment.open(join(folder, 'db'));
  for (let i = 0; i < 2; i++) {
    expect(await ingestFiles(root, { ...target, cache: new FileCache(environment) })).toEqual(expected);
  }
});

async function bytesOf(node: Node): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of exportTar(node, target)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('GNU tar unpacks what is exported', async () => {
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked);
  const bytes = await bytesOf(expected);
  execFileSync('tar', ['-xf', '-', '-C', unpacked], { input: bytes, stdio: 'pipe' });
  expect(await ingestFiles(unpacked, target)).toEqual(expected);
  expect((await bytesOf(expected)).equals(bytes)).toBe(true);
  const listing = execFileSync('tar', ['-tvf', '-', '--utc'], {
    input: bytes,
    encoding: 'latin1',
    stdio: 'pipe',
  }).split('\n');
  expect(listing[0]).toMatch(/^dr-xr-xr-x 0\/0 +0 1970-01-01 00:00 inner\/$/);
  expect(listing.at(-3)).toMatch(/^-r-xr-xr-x 0\/0 +10 1970-01-01 00:00 run$/);
  async function* once(): AsyncGenerator<Uint8Array, void, void> {
    yield bytes;
  }
  expect(await ingestTar(once(), { ...target, strip: 'never' })).toEqual(expected);
});

test('an empty directory, a link alone, and what is missing', async () => {
  const { blobs, directories } = target;
  const empty = await directories.put(Directory.of([]));
  const none = await bytesOf({ kind: 'directory', digest: empty, size: 0 });
  expect(none.equals(Buffer.alloc(1024))).toBe(true);
  const link: Node = { kind: 'symlink', target: symlinkTarget('x') };
  const listing = execFileSync('tar', ['-tvf', '-'], { input: await bytesOf(link), encoding: 'utf8' });
  expect(listing).toMatch(/^l.* contents -> x\n$/);
  const digest = await memoryBlobs().put(bytesFor(77));
  const missing = Directory.of([
    { name: pathComponent('gone'), node: { kind: 'file', digest, size: 77, executable: false } },
  ]);
  await directories.put(missing);
  await expect(bytesOf(missing.node)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining(String(digest)),
  });
  await blobs.put(bytesFor(77));
  expect((await bytesOf(missing.node)).length).toBe(512 + 512 + 1024);
  const absent = Directory.of([{ name: pathComponent('a'), node: link }]);
  await expect(bytesOf(absent.node)).rejects.toMatchObject({ code: 'not-found' });
});
