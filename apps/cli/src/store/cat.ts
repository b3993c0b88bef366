/** `neve store cat`: the contents of files. */
import { StoreError } from '@neve/store';
import { openStore, storeDirectory } from './open-store.ts';
import { required } from './required.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';
import { writeStream } from './write-stream.ts';

export const catCommand = storeCommand({
  name: 'cat',
  summary: 'print the contents of files',
  usage: ['cat [OPTIONS] FILE…'],
  arguments: ['store-path'],
  description: 'Prints files of the store, such as /nix/store/<hash>-<name>/bin/sh, to standard output.',
  options: {},
  async run(args, signal) {
    const names = required(args.positional, 'the file to print');
    await using store = await openStore(args);
    for (const name of names) {
      const { node } = await findObject(store, name, storeDirectory(args).path);
      if (node.kind !== 'file')
        throw new StoreError('unsupported', `'${name}' is a ${node.kind}, not a file`);
      await using reader = await store.blobs.open(node.digest, signal);
      if (reader === undefined) {
        throw new StoreError(
          'not-found',
          `the contents of '${name}', ${node.digest}, are missing; see 'neve store verify'`,
        );
      }
      await writeStream(reader.stream(undefined, signal));
    }
  },
});
