/** `neve store diff`: what is different between two objects, without reading what is equal. */
import { type Directory, type DirectoryEntry, type Node, equalNodes } from '@neve/castore';
import { StoreError } from '@neve/store';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { type OpenStore, openStore, storeDirectory } from './open-store.ts';
import { nodeJson } from './path-info-json.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';

type Change = { readonly path: string; readonly before: Node | undefined; readonly after: Node | undefined };

export const diffCommand = storeCommand({
  name: 'diff',
  summary: 'show what is different between two objects',
  usage: ['diff [OPTIONS] BEFORE AFTER'],
  arguments: ['store-path'],
  description: `Prints the paths that were added (+), removed (-) or changed (~) from BEFORE to AFTER. Directories with the same
digest are not looked at. The exit code is 1 when there is a difference.`,
  options: {},
  async run(args) {
    const [before, after, more] = args.positional;
    if (before === undefined || after === undefined || more !== undefined) {
      throw new UsageError('two objects are wanted');
    }
    await using store = await openStore(args);
    const storeDir = storeDirectory(args).path;
    const [from, to] = await Promise.all([
      findObject(store, before, storeDir),
      findObject(store, after, storeDir),
    ]);
    const changes: Record<string, unknown>[] = [];
    let count = 0;
    for await (const change of compare({ path: '', before: from.node, after: to.node }, store)) {
      count++;
      if (args.has('json')) changes.push(changeJson(change));
      else write(1, `${describe(change)}\n`);
    }
    if (args.has('json')) write(1, `${JSON.stringify(changes)}\n`);
    return count === 0 ? 0 : 1;
  },
});

async function* compare(change: Change, store: OpenStore): AsyncGenerator<Change, void, void> {
  const { path, before, after } = change;
  if (before !== undefined && after !== undefined && equalNodes(before, after)) return;
  if (before?.kind !== 'directory' || after?.kind !== 'directory') {
    yield change;
    return;
  }
  const [left, right] = await Promise.all([open(before, store), open(after, store)]);
  for (const [old, next] of pairs(left.entries, right.entries)) {
    const name = String((next ?? old)?.name);
    yield* compare(
      { path: path === '' ? name : `${path}/${name}`, before: old?.node, after: next?.node },
      store,
    );
  }
}

/** Entries of two sorted lists side by side. */
function* pairs(
  left: readonly DirectoryEntry[],
  right: readonly DirectoryEntry[],
): Generator<readonly [DirectoryEntry | undefined, DirectoryEntry | undefined], void, void> {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i], right[j]];
    const order = a === undefined ? 1 : b === undefined ? -1 : a.name.compare(b.name);
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}

async function open(node: Extract<Node, { kind: 'directory' }>, store: OpenStore): Promise<Directory> {
  const directory = await store.directories.get(node.digest);
  if (directory !== undefined) return directory;
  throw new StoreError('not-found', `the directory ${node.digest} is missing; see 'neve store verify'`);
}

function describe({ path, before, after }: Change): string {
  const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
  return `${sign} ${path === '' ? '.' : path}`;
}

function changeJson({ path, before, after }: Change): Record<string, unknown> {
  return {
    path,
    ...(before !== undefined && { before: nodeJson(before) }),
    ...(after !== undefined && { after: nodeJson(after) }),
  };
}
