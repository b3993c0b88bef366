/** `neve store root`: what garbage collection keeps. */
import type { Root } from '@neve/store';
import { readLinkRoots } from '@neve/store/node';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';

export const rootCommand = storeCommand({
  name: 'root',
  summary: 'say what garbage collection keeps',
  usage: ['root add NAME OBJECT', 'root remove NAME…', 'root list'],
  arguments: [['add', 'remove', 'list'], 'text', 'store-path'],
  description: `A root keeps a store path with all that it refers to, or a directory given by its digest. Links in the folder
gcroots of the store are roots too.`,
  options: {},
  async run(args) {
    const [action, ...rest] = args.positional;
    const directory = storeDirectory(args);
    await using state = await openState(args);
    if (action === 'add') {
      const [name, text, more] = rest;
      if (name === undefined || text === undefined || more !== undefined) {
        throw new UsageError('a name and an object are wanted');
      }
      await using _lease = await state.leases.acquire();
      await using store = await openStore(args);
      const { node, pathInfo } = await findObject(store, text, directory.path);
      const root: Root =
        pathInfo === undefined ? { kind: 'node', node } : { kind: 'path', storePath: pathInfo.storePath };
      await state.pins.set({ name, root });
    } else if (action === 'remove') {
      if (rest.length === 0) throw new UsageError('the name of the root is missing');
      for (const name of rest) {
        if (!(await state.pins.remove(name))) throw new UsageError(`there is no root '${name}'`);
      }
    } else if (action === 'list' && rest.length === 0) {
      const links = await readLinkRoots({
        folder: state.rootsFolder,
        store: directory,
        view: state.viewFolder,
        dryRun: true,
      });
      const rows: { readonly name: string; readonly target: string }[] = [
        ...(await state.pins.list()).map(({ name, root }) => ({ name, target: show(root) })),
        ...links.roots.map(({ link, storePath }) => ({ name: link, target: directory.print(storePath) })),
      ];
      if (args.has('json')) write(1, `${JSON.stringify(rows)}\n`);
      else for (const { name, target } of rows) write(1, `${name} ${target}\n`);
    } else throw new UsageError(`'neve store root' knows 'add', 'remove' and 'list'`);

    function show(root: Root): string {
      if (root.kind === 'path') return directory.print(root.storePath);
      return root.node.kind === 'symlink' ? String(root.node.target) : String(root.node.digest);
    }
  },
});
