/** `neve store copy`: store paths with all that they refer to, between two stores. */
import { copyClosure } from '@neve/store';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { isBinaryCache, openBinaryCache } from './open-binary-cache.ts';
import { openNamedStore, storeDirectory } from './open-store.ts';
import { Progress, formatBytes } from './progress.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';
import { findPathInfo } from './store-object.ts';

export const copyCommand = storeCommand({
  name: 'copy',
  summary: 'copy store paths and all that they refer to from one store to another',
  usage: ['copy [OPTIONS] --from STORE [--to STORE] PATH…', 'copy [OPTIONS] --to STORE [--from STORE] PATH…'],
  description: `Copies only what the target lacks; a copy that was interrupted goes on where it ended. A STORE is a folder, a
URL such as grpc+unix:/run/neve.sock or grpc+http://host:8000, or a name in the composition; --from may also be a binary
cache of Nix, such as https://cache.nixos.org or file:///folder.`,
  options: {
    from: { names: ['--from'], parameters: ['STORE'], help: 'the store to copy from (default: --store)' },
    to: { names: ['--to'], parameters: ['STORE'], help: 'the store to copy to (default: --store)' },
    all: { names: ['--all'], parameters: [], help: 'all store paths of the source' },
    key: {
      names: ['--trusted-public-key'],
      parameters: ['KEY'],
      help: 'accept what this key has signed, from a binary cache (repeatable)',
    },
    noCheck: {
      names: ['--no-check-signatures'],
      parameters: [],
      help: 'accept what nobody has signed, from a binary cache',
    },
    verify: {
      names: ['--verify'],
      parameters: [],
      help: 'compare the contents with their NAR hashes before a path is visible',
    },
  },
  async run(args, signal) {
    const { from, to } = { from: args.last('from'), to: args.last('to') };
    if (from === undefined && to === undefined) throw new UsageError('--from or --to is missing');
    if (args.positional.length === 0 && !args.has('all'))
      throw new UsageError('there is nothing to copy; see --all');
    await using target = await openNamedStore(to ?? args.last('store'), args);
    await using source =
      from !== undefined && isBinaryCache(from)
        ? openBinaryCache(from, {
            target,
            storeDir: storeDirectory(args).path,
            publicKeys: args.all('key'),
            acceptUnsigned: args.has('noCheck'),
          })
        : await openNamedStore(from ?? args.last('store'), args);
    // Garbage collection of the target must see the lease.
    await using state = await openState(args, to ?? args.last('store'));
    await using _lease = await state.leases.acquire();
    const storeDir = storeDirectory(args).path;
    const paths = await Promise.all(
      args.positional.map(async (name) => (await findPathInfo(source, name, storeDir)).storePath),
    );
    if (args.has('all'))
      for await (const { storePath } of source.pathInfos.list(signal)) paths.push(storePath);

    using progress = new Progress({ quiet: args.has('quiet') });
    const done = { paths: 0, bytes: 0 };
    let planned = 0;
    const result = await copyClosure(
      paths,
      {
        source,
        target,
        ...(args.has('verify') && { verify: state.narCalculation(target) }),
        onEvent: (event) => {
          if (event.kind === 'plan') planned = event.paths;
          else if (event.kind === 'path') done.paths++;
          else done.bytes += event.copiedBytes;
          progress.show(() => `copied ${done.paths} of ${planned} paths, ${formatBytes(done.bytes)}`);
        },
      },
      signal,
    );
    if (args.has('json')) write(1, `${JSON.stringify(result)}\n`);
  },
});
