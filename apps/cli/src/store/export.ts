/** `neve store export`: something of a store as files, a NAR or a tar archive. */
import { exportTar } from '@neve/castore';
import { exportToFiles } from '@neve/castore/node';
import { isBlobFiles } from './blob-files.ts';
import { renderNar } from '@neve/store';
import { UsageError } from '../usage-error.ts';
import { openStore, storeDirectory } from './open-store.ts';
import { storeCommand } from './store-command.ts';
import { findObject } from './store-object.ts';
import { writeStream } from './write-stream.ts';

export const exportCommand = storeCommand({
  name: 'export',
  summary: 'write something of the store as files, or as a NAR or tar archive',
  usage: ['export [OPTIONS] OBJECT TARGET', 'export [OPTIONS] --nar|--tar OBJECT > FILE'],
  arguments: ['store-path', 'file'],
  description: `Writes a store path, something inside of it, or a directory given by its digest. TARGET must not exist; files
get the modes and times that they have in a Nix store.`,
  options: {
    nar: { names: ['--nar'], parameters: [], help: 'write a NAR to standard output' },
    tar: { names: ['--tar'], parameters: [], help: 'write a tar archive to standard output' },
    hardLink: {
      names: ['--hard-link'],
      parameters: [],
      help: 'link to the files of the store where possible; they must never be changed',
    },
  },
  async run(args, signal) {
    const archive = args.has('nar') || args.has('tar');
    const [text, target, more] = args.positional;
    if (text === undefined) throw new UsageError('the object to export is missing');
    if (more !== undefined || (archive && target !== undefined)) throw new UsageError('too many arguments');
    if (args.has('nar') && args.has('tar')) throw new UsageError('--nar and --tar exclude each other');
    await using store = await openStore(args);
    const { node } = await findObject(store, text, storeDirectory(args).path);
    if (args.has('nar')) return await writeStream(renderNar(node, store, signal));
    if (args.has('tar')) return await writeStream(exportTar(node, store, signal));
    if (target === undefined)
      throw new UsageError('the target is missing; --nar and --tar write to standard output');
    await exportToFiles(node, target, {
      blobs: store.blobs,
      directories: store.directories,
      ...(isBlobFiles(store.blobs) && { files: store.blobs }),
      link: args.has('hardLink') ? 'hardlink' : 'clone',
      signal,
    });
  },
});
