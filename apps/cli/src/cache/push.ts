/** `neve cache push`: store paths with all that they refer to, into a cache. */
import { readFileSync } from 'node:fs';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { parsePublicKey } from '@neve/nix-compat';
import { openHttpCache } from '@neve/store/node';
import type { Signer, Substituter } from '@neve/store';
import { write } from '../output.ts';
import type { Arguments } from '../parse-words.ts';
import { TaskDisplay } from '../progress/task-display.ts';
import { formatBytes, parseCount } from '../quantities.ts';
import { isRemoteStore, remoteSubstituter } from '../realise/remote-stores.ts';
import { httpSettings } from '../store/http-settings.ts';
import { isBinaryCache } from '../store/open-binary-cache.ts';
import { type OpenStore, openStore, storeDirectory } from '../store/open-store.ts';
import { readSecretKey } from '../store/read-secret-key.ts';
import { type StoreOptionName, storeOptions } from '../store/store-options.ts';
import { openState } from '../store/store-state.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { findCache } from './known-caches.ts';
import { type PushCompression, pushCompressions } from './nar-file.ts';
import { pushPaths } from './push-paths.ts';
import { type PushSource, namedHashPart, readClosure, readPathInfos } from './push-source.ts';
import { RemoteCache } from './remote-cache.ts';

const options = {
  ...storeOptions,
  from: {
    names: ['--from'],
    parameters: ['PLACE'],
    help: 'where the paths are: file:///folder or https://… (a binary cache), daemon, unix:///socket or ssh-ng://host (a Nix)',
  },
  key: {
    names: ['--trusted-public-key'],
    parameters: ['KEY'],
    help: 'with --from: accept what this key has signed (repeatable)',
  },
  noCheck: {
    names: ['--no-check-signatures'],
    parameters: [],
    help: 'with --from: accept what nobody has signed',
  },
  signingKey: {
    names: ['--signing-key-file'],
    parameters: ['FILE'],
    help: 'sign what is pushed by this secret key (repeatable)',
  },
  compression: {
    names: ['--compression'],
    parameters: ['NAME'],
    values: [pushCompressions],
    help: 'zstd (default), xz or none',
  },
  jobs: {
    names: ['-j', '--jobs'],
    parameters: ['N'],
    help: 'how many NARs are under way at once (default: 8)',
  },
  stdin: { names: ['--stdin'], parameters: [], help: 'read more paths from standard input, one a line' },
} as const;

type PushArguments = Arguments<keyof typeof options | StoreOptionName>;

export const pushCommand = cacheCommand({
  name: 'push',
  summary: 'put store paths and all that they refer to into a cache',
  usage: ['push [OPTIONS] CACHE PATH…'],
  arguments: ['text', 'store-path'],
  description: `Asks the cache what it lacks, and uploads only that. CACHE is a name that 'neve cache login' knows, or a URL, also that of
another server that takes uploads. PATH is a store path, or a link to one as 'neve build' leaves it. A push that was interrupted
goes on where it ended when it is done again.`,
  options,
  async run(args, signal) {
    const [name, ...given] = args.positional;
    const known = findCache(name);
    const texts = [...given, ...(args.has('stdin') ? readLines() : [])];
    if (texts.length === 0) throw new UsageError('there is nothing to push');
    const compression = compressionOf(args.last('compression') ?? 'zstd');
    const jobs = parseCount(args.last('jobs') ?? '8', '--jobs');
    const directory = storeDirectory(args);
    const keys = args.all('signingKey').map(readSecretKey);
    const signer: Signer | undefined =
      keys.length === 0 ? undefined : { keys, store: directory, ed25519: nodeEd25519 };
    await using store = await openStore(args);
    await using state = await openState(args);
    // What is pushed must not go meanwhile.
    await using _lease = await state.leases.acquire();
    const substituter = openSource(args, store);
    await using _source = substituter;
    await using cache = new RemoteCache(known, httpSettings());
    const source: PushSource = { store, substituter };
    const naming = { storeDirectory: directory, viewFolder: state.viewFolder };
    const closure = await readClosure(
      texts.map((it) => namedHashPart(it, naming)),
      source,
      signal,
    );
    const missing = await cache.missing(closure, signal);
    const pathInfos = await readPathInfos(missing, source, signal);
    using progress = new TaskDisplay(args);
    let [paths, bytes] = [0, 0];
    await pushPaths(
      pathInfos,
      {
        source: store,
        cache,
        storeDirectory: directory,
        compression,
        jobs,
        signer,
        onEvent(event) {
          if (event.kind === 'path') paths++;
          else bytes += event.count;
          progress.show({ verb: 'pushed', done: paths, total: pathInfos.length, unit: 'paths', bytes });
        },
      },
      signal,
    );
    progress[Symbol.dispose]();
    if (args.has('json')) write(1, `${JSON.stringify({ paths, of: closure.length, bytes })}\n`);
    else if (!args.has('quiet')) {
      write(2, `${paths} paths pushed, ${closure.length - paths} were there; ${formatBytes(bytes)} sent\n`);
    }
  },
});

/** The cache whose paths are pushed, if it is one. Throws `UsageError`. */
function openSource(args: PushArguments, store: OpenStore): Substituter | undefined {
  const from = args.last('from');
  if (from === undefined) return undefined;
  const isNix = isRemoteStore(from);
  if (!isNix && !isBinaryCache(from)) {
    throw new UsageError(`--from '${from}' is no binary cache and no Nix; for a store of Neve use --store`);
  }
  const publicKeys = args.all('key').map(parsePublicKey);
  // Whoever runs the Nix of this machine is trusted by its users already.
  const acceptUnsigned = args.has('noCheck') || (publicKeys.length === 0 && /^(daemon|unix:)/.test(from));
  if (publicKeys.length === 0 && !acceptUnsigned) {
    throw new UsageError('--from needs --trusted-public-key or --no-check-signatures');
  }
  const trust = { publicKeys: acceptUnsigned ? [] : publicKeys, acceptUnsigned };
  if (isNix) {
    const directory = storeDirectory(args);
    return remoteSubstituter(from, { store, storeDirectory: directory, environment: process.env, ...trust });
  }
  return openHttpCache({
    url: from,
    blobs: store.blobs,
    directories: store.directories,
    ...trust,
    store: storeDirectory(args),
    http: httpSettings(),
  });
}

function readLines(): readonly string[] {
  return readFileSync(0, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function compressionOf(text: string): PushCompression {
  const known = pushCompressions.find((it) => it === text);
  if (known !== undefined) return known;
  throw new UsageError(`--compression '${text}' is none of ${pushCompressions.join(', ')}`);
}
