/** `neve store ls`: what is in a directory of the store, or which store paths there are. */
import { type Directory, type DirectoryService, type Node, showPath } from '@neve/castore';
import type { PathComponent } from '@neve/castore';
import { StoreError } from '@neve/store';
import { write } from '../output.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { nodeJson, pathInfoJson } from './path-info-json.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';

export const lsCommand = storeCommand({
  name: 'ls',
  summary: 'list a directory, or all store paths',
  usage: ['ls [OPTIONS]', 'ls [OPTIONS] OBJECT…'],
  arguments: ['store-path'],
  description: 'Lists what is in a directory of the store. Without an argument it lists all store paths.',
  options: {
    long: { names: ['-l', '--long'], parameters: [], help: 'with modes, sizes and targets of links' },
    recursive: { names: ['-R', '--recursive'], parameters: [], help: 'with everything below' },
    digests: { names: ['--digests'], parameters: [], help: 'with the digests of files and directories' },
  },
  async run(args, signal) {
    await using store = await openStore(args);
    const directory = storeDirectory(args);
    const asJson = args.has('json');
    if (args.positional.length === 0) {
      for await (const pathInfo of store.pathInfos.list(signal)) {
        const line = asJson
          ? JSON.stringify(pathInfoJson(pathInfo, directory))
          : directory.print(pathInfo.storePath);
        write(1, `${line}\n`);
      }
      return;
    }
    const style = { long: args.has('long'), digests: args.has('digests') };
    for (const text of args.positional) {
      const { node } = await findObject(store, text, directory.path);
      if (asJson) {
        write(1, `${JSON.stringify(await listing(node, store.directories, args.has('recursive')))}\n`);
        continue;
      }
      if (node.kind !== 'directory') {
        write(1, `${describe(node, text, style)}\n`);
        continue;
      }
      for await (const entry of walk({ path: [], node }, store.directories, args.has('recursive'))) {
        write(1, `${describe(entry.node, showPath(entry.path), style)}\n`);
      }
    }
  },
});

type Entry = { readonly path: readonly PathComponent[]; readonly node: Node };

async function* walk(
  { path, node }: Entry,
  directories: DirectoryService,
  recursive: boolean,
): AsyncGenerator<Entry, void, void> {
  for (const { name, node: child } of (await open(node, directories))?.entries ?? []) {
    const entry = { path: [...path, name], node: child };
    yield entry;
    if (recursive) yield* walk(entry, directories, recursive);
  }
}

/** The form of `nix store ls --json`. */
async function listing(
  node: Node,
  directories: DirectoryService,
  recursive: boolean,
): Promise<Record<string, unknown>> {
  const directory = await open(node, directories);
  if (directory === undefined) return nodeJson(node);
  const entries: [string, unknown][] = [];
  for (const { name, node: child } of directory.entries) {
    entries.push([String(name), recursive ? await listing(child, directories, true) : nodeJson(child)]);
  }
  return { ...nodeJson(node), entries: Object.fromEntries(entries) };
}

async function open(node: Node, directories: DirectoryService): Promise<Directory | undefined> {
  if (node.kind !== 'directory') return undefined;
  const directory = await directories.get(node.digest);
  if (directory !== undefined) return directory;
  throw new StoreError('not-found', `the directory ${node.digest} is missing; see 'neve store verify'`);
}

function describe(
  node: Node,
  name: string,
  style: { readonly long: boolean; readonly digests: boolean },
): string {
  const digest = style.digests && node.kind !== 'symlink' ? ` ${node.digest}` : '';
  if (!style.long) return `${name}${digest}`;
  switch (node.kind) {
    case 'directory':
      return `dr-xr-xr-x ${String(0).padStart(20)} ${name}${digest}`;
    case 'file':
      return `-r-${node.executable ? 'x' : '-'}r-${node.executable ? 'x' : '-'}r-${node.executable ? 'x' : '-'} ${String(node.size).padStart(20)} ${name}${digest}`;
    case 'symlink':
      return `lrwxrwxrwx ${String(0).padStart(20)} ${name} -> ${node.target}`;
  }
}
