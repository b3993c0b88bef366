/** `neve store mount`: the store as a file system. */
import type { DirectoryNode } from '@neve/castore';
import { mountCastore } from '@neve/castore/node';
import { StoreError, pathInfoRoots } from '@neve/store';
import { untilAborted } from '../interruption.ts';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { type OpenStore, openStore, storeDirectory } from './open-store.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';

export const mountCommand = storeCommand({
  name: 'mount',
  summary: 'show a store, or a directory in it, as a read-only file system',
  usage: ['mount [OPTIONS] MOUNTPOINT', 'mount [OPTIONS] OBJECT MOUNTPOINT'],
  arguments: ['directory', 'directory'],
  description: `Mounts all store paths below MOUNTPOINT, or one directory of the store, until it is interrupted or unmounted.
Extended attributes user.neve.castore.* say the digests.`,
  options: {
    listRoot: {
      names: ['-l', '--list-root'],
      parameters: [],
      help: 'let the mountpoint be listed, which reads all path infos',
    },
    allowOther: {
      names: ['--allow-other'],
      parameters: [],
      help: 'let other users see it (needs FUSE configuration)',
    },
    noXattr: { names: ['--no-xattr'], parameters: [], help: 'without extended attributes' },
  },
  async run(args, signal) {
    const [first, second, more] = args.positional;
    if (first === undefined || more !== undefined) throw new UsageError('wrong number of arguments');
    const mountpoint = second ?? first;
    await using store = await openStore(args);
    const root =
      second === undefined
        ? pathInfoRoots(store.pathInfos)
        : await findDirectory(store, first, storeDirectory(args).path);
    await using mount = await mountCastore(
      {
        mountpoint,
        root,
        blobs: store.blobs,
        directories: store.directories,
        listRoot: args.has('listRoot'),
        xattrs: !args.has('noXattr'),
        ...(args.has('allowOther') && { allowOther: true }),
        onError: (error) => write(2, `error: ${error.message}\n`),
      },
      signal,
    );
    if (!args.has('quiet')) write(2, `mounted at ${mount.mountpoint}; interrupt or unmount it to end\n`);
    await Promise.race([mount.unmounted, untilAborted(signal)]);
  },
});

async function findDirectory(store: OpenStore, text: string, storeDir: string): Promise<DirectoryNode> {
  const { node } = await findObject(store, text, storeDir);
  if (node.kind === 'directory') return node;
  throw new StoreError('unsupported', `'${text}' is a ${node.kind}; only directories can be mounted`);
}
