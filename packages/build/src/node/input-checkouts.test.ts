import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Directory, type Node, memoryDirectories, pathComponent } from '@neve/castore';
import { type LocalBlobs, openLocalBlobs } from '@neve/castore/node';
import { BuildFolders, removeAnyTree } from './build-folders.ts';
import { type CheckoutNode, InputCheckouts, checkoutKey } from './input-checkouts.ts';

const large = new Uint8Array(300_000).map((_, i) => i % 251);

let folder: string;
let blobs: LocalBlobs;
let builds: BuildFolders;
const directories = memoryDirectories();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-checkouts-'));
  blobs = await openLocalBlobs({ path: join(folder, 'blobs') });
  builds = await BuildFolders.open(join(folder, 'builds'));
});

afterEach(async () => {
  await blobs[Symbol.asyncDispose]();
  await removeAnyTree(folder);
});

function open(): Promise<InputCheckouts> {
  return InputCheckouts.open({ folder: join(folder, 'inputs'), blobs, directories, files: blobs }, builds);
}

async function file(bytes: Uint8Array, executable = false): Promise<CheckoutNode> {
  return { kind: 'file', digest: await blobs.put(bytes), size: bytes.length, executable };
}

async function directory(entries: Readonly<Record<string, Node>>): Promise<CheckoutNode> {
  const made = Directory.of(
    Object.entries(entries).map(([name, node]) => ({ name: pathComponent(name), node })),
  );
  await directories.put(made);
  return made.node;
}

test('large files are links to blobs, small ones are written', async () => {
  const checkouts = await open();
  const node = await directory({
    large: await file(large),
    run: await file(large, true),
    small: await file(large.subarray(0, 10)),
  });
  const path = await checkouts.path(node);
  expect(new Uint8Array(readFileSync(join(path, 'large')))).toEqual(large);
  expect(lstatSync(join(path, 'large')).nlink).toBeGreaterThan(1);
  expect(lstatSync(join(path, 'run')).mode & 0o777).toBe(0o555);
  expect(lstatSync(join(path, 'run')).nlink).toBeGreaterThan(1);
  expect(new Uint8Array(readFileSync(join(path, 'small')))).toEqual(large.subarray(0, 10));
  expect(lstatSync(path).mode & 0o777).toBe(0o555);
});

test('a checkout is made once, also by many at the same time', async () => {
  const [first, second] = [await open(), await open()];
  const node = await directory({ a: await file(large) });
  const paths = await Promise.all(
    Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? first : second).path(node)),
  );
  expect(new Set(paths).size).toBe(1);
  const inode = lstatSync(paths[0] ?? '').ino;
  expect(lstatSync(await first.path(node)).ino).toBe(inode);
  expect(await first.list()).toEqual([checkoutKey(node)]);
  expect(readdirSync(join(paths[0] ?? '', '..'))).toEqual([checkoutKey(node)]);
});

test('what a file is, and whether it can be executed, are different checkouts', async () => {
  const checkouts = await open();
  const nodes = [
    await file(large),
    await file(large, true),
    await file(large.subarray(1)),
    await directory({}),
  ];
  const paths = await Promise.all(nodes.map((it) => checkouts.path(it)));
  expect(new Set(paths).size).toBe(4);
  expect(lstatSync(paths[1] ?? '').mode & 0o111).toBe(0o111);
});

test('what is not in the castore cannot be checked out, and leaves nothing', async () => {
  const checkouts = await open();
  const present = await file(large);
  const { digest } = await directory({ present });
  // The digest of a directory names no blob.
  const absent: CheckoutNode = { kind: 'file', digest, size: 1, executable: false };
  await expect(checkouts.path(await directory({ a: present, b: absent }))).rejects.toThrow(/missing/u);
  expect(await checkouts.list()).toEqual([]);
});

test('what is removed stays for the builds that had begun, and goes afterwards', async () => {
  const checkouts = await open();
  const node = await directory({ a: await file(large) });
  const build = await builds.create();
  const path = await checkouts.path(node);
  await checkouts.remove([checkoutKey(node), 'd-0000']);
  expect(await checkouts.has(node)).toBe(false);
  expect(await checkouts.list()).toEqual([]);
  const [removed = ''] = readdirSync(join(path, '..'));
  expect(existsSync(join(path, '..', removed, 'a'))).toBe(true);

  const later = await builds.create();
  await checkouts.removeUnused();
  expect(existsSync(join(path, '..', removed))).toBe(true);
  await build[Symbol.asyncDispose]();
  await checkouts.removeUnused();
  expect(existsSync(join(path, '..', removed))).toBe(false);
  await later[Symbol.asyncDispose]();

  expect(lstatSync(await checkouts.path(node)).isDirectory()).toBe(true);
});

test('checkouts of another boot are not trusted', async () => {
  const old = join(folder, 'inputs', '11111111-2222-3333-4444-555555555555');
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, 'f-00'), '');
  await open();
  expect(existsSync(old)).toBe(false);
});
