/** `neve cache pull`: store paths with all that they refer to, from a cache into a store. */
import { copyClosure } from '@neve/store';
import { nodeHashes } from '@neve/bytes/node';
import { StoreDirectory, parsePublicKey, parseStorePath } from '@neve/nix-compat';
import { openHttpCache } from '@neve/store/node';
import { TaskDisplay } from '../progress/task-display.ts';
import { httpSettings } from '../store/http-settings.ts';
import { openStore, storeDirectory } from '../store/open-store.ts';
import { storeOptions } from '../store/store-options.ts';
import { openState } from '../store/store-state.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { findCache } from './known-caches.ts';

export const pullCommand = cacheCommand({
  name: 'pull',
  summary: 'get store paths and all that they refer to from a cache',
  usage: ['pull [OPTIONS] CACHE PATH…'],
  arguments: ['text', 'store-path'],
  description: `Gets only what the store lacks. CACHE is a name that 'neve cache login' knows, or the URL of any binary cache of Nix.
Signatures must be by the keys that were trusted at the login, or by those that are given.`,
  options: {
    ...storeOptions,
    key: {
      names: ['--trusted-public-key'],
      parameters: ['KEY'],
      help: 'accept what this key has signed (repeatable)',
    },
    noCheck: { names: ['--no-check-signatures'], parameters: [], help: 'accept what nobody has signed' },
  },
  async run(args, signal) {
    const [name, ...paths] = args.positional;
    const cache = findCache(name);
    if (paths.length === 0) throw new UsageError('there is nothing to pull');
    const publicKeys = args.has('noCheck') ? [] : [...cache.publicKeys, ...args.all('key')];
    if (publicKeys.length === 0 && !args.has('noCheck')) {
      throw new UsageError(
        `nobody says which signatures of ${cache.url} are trusted; log in, give --trusted-public-key, or --no-check-signatures`,
      );
    }
    const storePaths = paths.map((it) => parseStorePath(it.replace(/\/+$/, '').replace(/^.*\//, '')));
    const { path: storeDir } = storeDirectory(args);
    await using target = await openStore(args);
    await using state = await openState(args);
    await using _lease = await state.leases.acquire();
    const machine = new URL(cache.url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const netrc = cache.token === undefined ? [] : [{ machine, login: 'neve', password: cache.token }];
    await using source = openHttpCache({
      url: cache.url,
      blobs: target.blobs,
      directories: target.directories,
      publicKeys: publicKeys.map(parsePublicKey),
      acceptUnsigned: args.has('noCheck'),
      store: new StoreDirectory(storeDir, nodeHashes),
      http: { ...httpSettings(), netrc },
    });
    using progress = new TaskDisplay(args);
    let [planned, planBytes, bytes, done] = [0, 0, 0, 0];
    const result = await copyClosure(
      storePaths,
      {
        // What the cache has goes straight into the target.
        source: { blobs: target.blobs, directories: target.directories, pathInfos: source },
        target,
        onEvent(event) {
          if (event.kind === 'plan') [planned, planBytes] = [event.paths, event.narBytes];
          else if (event.kind === 'path') {
            done++;
            bytes += event.narBytes;
          }
          const sizes = { bytes, totalBytes: planBytes };
          progress.show({ verb: 'pulled', done, total: planned, unit: 'paths', ...sizes });
        },
      },
      signal,
    );
    if (args.has('json')) progress.write(1, `${JSON.stringify({ paths: result.paths, narBytes: bytes })}\n`);
  },
});
