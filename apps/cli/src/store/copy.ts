/** `neve store copy`: store paths with all that they refer to, between two stores. */
import type { StorePath } from '@neve/nix-compat';
import { copyClosure } from '@neve/store';
import type { Arguments } from '../parse-words.ts';
import { TaskDisplay } from '../progress/task-display.ts';
import { UsageError } from '../usage-error.ts';
import {
  type CopyToNixStoreEvent,
  copyToNixStore,
  isRemoteStore,
  openNixStoreSource,
} from './copy-nix-store.ts';
import { isBinaryCache, openBinaryCache } from './open-binary-cache.ts';
import { type OpenStore, openNamedStore, storeDirectory } from './open-store.ts';
import { openState } from './store-state.ts';
import { storeCommand } from './store-command.ts';
import type { StoreOptionName } from './store-options.ts';
import { findPathInfo } from './store-object.ts';

export const copyCommand = storeCommand({
  name: 'copy',
  summary: 'copy store paths and all that they refer to from one store to another',
  usage: ['copy [OPTIONS] --from STORE [--to STORE] PATH…', 'copy [OPTIONS] --to STORE [--from STORE] PATH…'],
  arguments: ['store-path'],
  description: `Copies only what the target lacks; a copy that was interrupted goes on where it ended. A STORE is a folder, a
URL such as grpc+unix:/run/neve.sock or grpc+http://host:8000, or a name in the composition; --from may also be a binary
cache of Nix, such as https://cache.nixos.org or file:///folder. Both may be a store of Nix: daemon, unix:///socket,
ssh-ng://host or ssh://host.`,
  options: {
    from: { names: ['--from'], parameters: ['STORE'], help: 'the store to copy from (default: --store)' },
    to: { names: ['--to'], parameters: ['STORE'], help: 'the store to copy to (default: --store)' },
    all: { names: ['--all'], parameters: [], help: 'all store paths of the source' },
    key: {
      names: ['--trusted-public-key'],
      parameters: ['KEY'],
      help: 'accept what this key has signed, from a binary cache or a store of Nix (repeatable)',
    },
    noCheck: {
      names: ['--no-check-signatures'],
      parameters: [],
      help: 'accept what nobody has signed, from a binary cache or a store of Nix; or let the target accept it',
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
    if (to !== undefined && isRemoteStore(to)) return await copyOut(to, args, signal);
    await using target = await openNamedStore(to ?? args.last('store'), args);
    await using source = await openSource(from, target, args);
    // Garbage collection of the target must see the lease.
    await using state = await openState(args, to ?? args.last('store'));
    await using _lease = await state.leases.acquire();
    const paths = await wantedPaths(source, args, signal);

    using progress = new TaskDisplay(args);
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
          progress.show({
            verb: 'copied',
            done: done.paths,
            total: planned,
            unit: 'paths',
            bytes: done.bytes,
          });
        },
      },
      signal,
    );
    if (args.has('json')) progress.write(1, `${JSON.stringify(result)}\n`);
  },
});

type CopyArguments = Arguments<'from' | 'to' | 'all' | 'key' | 'noCheck' | 'verify' | StoreOptionName>;

/** The store to copy from. What a foreign one has goes into the target at once. */
async function openSource(
  from: string | undefined,
  target: OpenStore,
  args: CopyArguments,
): Promise<OpenStore> {
  const options = {
    target,
    storeDir: storeDirectory(args).path,
    publicKeys: args.all('key'),
    acceptUnsigned: args.has('noCheck'),
  };
  if (from !== undefined && isRemoteStore(from)) {
    return await openNixStoreSource(from, { ...options, names: args.positional });
  }
  if (from !== undefined && isBinaryCache(from)) return openBinaryCache(from, options);
  return await openNamedStore(from ?? args.last('store'), args);
}

async function wantedPaths(
  source: OpenStore,
  args: CopyArguments,
  signal?: AbortSignal,
): Promise<StorePath[]> {
  const storeDir = storeDirectory(args).path;
  const named = args.positional.map(async (name) => (await findPathInfo(source, name, storeDir)).storePath);
  const paths = await Promise.all(named);
  if (args.has('all')) for await (const { storePath } of source.pathInfos.list(signal)) paths.push(storePath);
  return paths;
}

/** Into a store of Nix, which has no contents of ours. */
async function copyOut(to: string, args: CopyArguments, signal?: AbortSignal): Promise<void> {
  await using source = await openNamedStore(args.last('from') ?? args.last('store'), args);
  const paths = await wantedPaths(source, args, signal);
  using progress = new TaskDisplay(args);
  const done = { planned: 0, paths: 0, bytes: 0 };
  const options = {
    url: to,
    source,
    storeDir: storeDirectory(args).path,
    dontCheckSignatures: args.has('noCheck'),
    onEvent: (event: CopyToNixStoreEvent): void => {
      if (event.kind === 'plan') done.planned = event.paths;
      else {
        done.paths++;
        done.bytes += event.narBytes;
      }
      const { paths: copied, planned: total, bytes } = done;
      progress.show({ verb: 'copied', done: copied, total, unit: 'paths', bytes });
    },
  };
  const result = await copyToNixStore(paths, options, signal);
  if (args.has('json')) progress.write(1, `${JSON.stringify(result)}\n`);
}
