/** `neve store sign`: signatures for store paths. */
import { nodeEd25519 } from '@neve/nix-compat/node';
import { readPathClosure, signPathInfo } from '@neve/store';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { readSecretKey } from './read-secret-key.ts';
import { required } from './required.ts';
import { storeCommand } from './store-command.ts';
import { findPathInfo } from './store-object.ts';
import { openState } from './store-state.ts';

export const signCommand = storeCommand({
  name: 'sign',
  summary: 'sign store paths',
  usage: ['sign [OPTIONS] --key-file FILE PATH…'],
  arguments: ['store-path'],
  description: 'Adds signatures by one or more secret keys, as made by neve store key or nix key.',
  options: {
    keyFile: { names: ['-k', '--key-file'], parameters: ['FILE'], help: 'the secret key (repeatable)' },
    closure: {
      names: ['--closure', '-r', '--recursive'],
      parameters: [],
      help: 'with everything that the paths refer to',
    },
  },
  async run(args, signal) {
    const names = required(args.positional, 'the store path');
    const keys = args.all('keyFile').map(readSecretKey);
    if (keys.length === 0) throw new UsageError('--key-file is missing');
    await using store = await openStore(args);
    await using state = await openState(args);
    // A path that goes meanwhile would come back without its contents.
    await using _lease = await state.leases.acquire();
    const directory = storeDirectory(args);
    const named = await Promise.all(names.map((name) => findPathInfo(store, name, directory.path)));
    const pathInfos = args.has('closure')
      ? (
          await readPathClosure(
            named.map(({ storePath }) => storePath),
            store,
            signal,
          )
        ).pathInfos
      : named;
    for (const pathInfo of pathInfos) {
      await store.pathInfos.put(
        signPathInfo(pathInfo, { keys, store: directory, ed25519: nodeEd25519 }),
        signal,
      );
    }
    if (!args.has('quiet')) write(2, `${pathInfos.length} paths signed\n`);
  },
});
