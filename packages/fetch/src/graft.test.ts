import { Directory, memoryDirectories, parsePath, pathComponent, symlinkTarget } from '@neve/castore';
import type { DirectoryService, Node } from '@neve/castore';
import { expect, test } from 'vitest';
import { graft } from './graft.ts';

const link = (target: string): Node => ({ kind: 'symlink', target: symlinkTarget(target) });

type Tree = { readonly [name: string]: Tree | Node };

/** `kind` is the name of no file here. */
async function store(directories: DirectoryService, tree: Tree): Promise<Node> {
  const entries = [];
  for (const [name, below] of Object.entries(tree)) {
    const node = 'kind' in below ? (below as Node) : await store(directories, below as Tree);
    entries.push({ name: pathComponent(name), node });
  }
  const directory = Directory.of(entries);
  await directories.put(directory);
  return directory.node;
}

test.each<[string, Tree, Tree]>([
  ['x', { a: link('1') }, { a: link('1'), x: link('new') }],
  ['a', { a: link('1') }, { a: link('new') }],
  ['a/b', { a: { b: {}, c: link('2') } }, { a: { b: link('new'), c: link('2') } }],
  ['a/b/c', {}, { a: { b: { c: link('new') } } }],
  ['a/b', { a: link('1') }, { a: { b: link('new') } }],
])('at %s', async (path, before, after) => {
  const directories = memoryDirectories();
  const root = await store(directories, before);
  const grafted = await graft(directories, root, { path: parsePath(path), node: link('new') });
  expect(grafted).toEqual(await store(memoryDirectories(), after));
  if (grafted.kind === 'directory') expect(await directories.get(grafted.digest)).toBeDefined();
});
