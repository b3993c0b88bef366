import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8, equalBytes } from '@neve/bytes';
import {
  Directory,
  equalNodes,
  memoryBlobs,
  memoryDirectories,
  pathComponent,
  symlinkTarget,
} from '@neve/castore';
import type { Node } from '@neve/castore';
import { rewriteBytes } from '@neve/nix-compat';
import { renderNar } from '@neve/store';
import { rewriteNode } from './rewrite-node.ts';

const from = '0123456789abcdfghijklmnpqrsvwxyz';
const to = '00000000000000000000000000000000';
const rewrites = new Map([[from, to]]);
const services = { blobs: memoryBlobs(), directories: memoryDirectories() };

type Tree =
  | { readonly file: string; readonly executable: boolean }
  | { readonly link: string }
  | { readonly in: readonly (readonly [string, Tree])[] };

async function put(tree: Tree): Promise<Node> {
  if ('link' in tree) return { kind: 'symlink', target: symlinkTarget(tree.link) };
  if ('file' in tree) {
    const bytes = encodeUtf8(tree.file);
    return {
      kind: 'file',
      digest: await services.blobs.put(bytes),
      size: bytes.length,
      executable: tree.executable,
    };
  }
  const entries = await Promise.all(
    [...new Map(tree.in)].map(async ([name, it]) => ({ name: pathComponent(name), node: await put(it) })),
  );
  const directory = Directory.of(entries);
  await services.directories.put(directory);
  return directory.node;
}

async function nar(node: Node): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of renderNar(node, services)) pieces.push(Uint8Array.from(piece));
  return concatBytes(pieces);
}

const text = fc
  .array(fc.constantFrom(from, 'x', '/nix/store/', 'eeeeeeeeeeeeeeee'.repeat(4000), '\0'))
  .map((it) => it.join(''));
// A name that is rewritten keeps its place among the others, which is the first.
const name = fc.constantFrom('a', 'b', 'bin', from);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.record({ file: text, executable: fc.boolean() }),
    fc.constantFrom({ link: 'x' }, { link: `../${from}-y` }),
    fc.record({ in: fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }) }),
  ),
}));

test('a rewritten node is what its rewritten archive is', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (it) => {
      const node = await put(it);
      const rewritten = await rewriteNode(node, rewrites, services);
      expect(equalBytes(await nar(rewritten), rewriteBytes(await nar(node), rewrites))).toBe(true);
      expect(equalNodes(await rewriteNode(node, new Map(), services), node)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('names change places when their order does', async () => {
  const node = await put({
    in: [
      [from, { file: 'first', executable: false }],
      ['a', { link: from }],
    ],
  });
  const last = 'z'.repeat(32);
  const rewritten = await rewriteNode(node, new Map([[from, last]]), services);
  if (rewritten.kind !== 'directory') throw new Error('it is a directory');
  const directory = await services.directories.get(rewritten.digest);
  expect(directory?.entries.map(({ name: it, node: child }) => [it.toString(), child.kind])).toEqual([
    ['a', 'symlink'],
    [last, 'file'],
  ]);
});

test('a file that is too large for one piece', async () => {
  const contents = `${'e'.repeat(100_001)}${from}${'x'.repeat(300_000)}${from}`;
  const node = await put({ file: contents, executable: true });
  const rewritten = await rewriteNode(node, rewrites, services);
  const expected = await put({ file: contents.replaceAll(from, to), executable: true });
  expect(equalNodes(rewritten, expected)).toBe(true);
});

test('what is missing is told', async () => {
  const gone = { blobs: memoryBlobs(), directories: memoryDirectories() };
  const node = await put({ in: [['a', { file: 'x', executable: false }]] });
  await expect(rewriteNode(node, rewrites, gone)).rejects.toMatchObject({ code: 'not-found' });
  await expect(
    rewriteNode(node, rewrites, { ...gone, directories: services.directories }),
  ).rejects.toMatchObject({ code: 'not-found' });
});
