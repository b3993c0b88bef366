/** `neve cache pin`: names for paths that stay in a cache, with all that they refer to. */
import { write } from '../output.ts';
import { httpSettings } from '../store/http-settings.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { findCache } from './known-caches.ts';
import { RemoteCache } from './remote-cache.ts';

export const pinCommand = cacheCommand({
  name: 'pin',
  summary: 'keep paths of a cache, by name',
  usage: ['pin CACHE NAME PATH', 'pin CACHE', 'pin --remove CACHE NAME'],
  arguments: ['text', 'text', 'store-path'],
  description: `A pinned path stays in the cache with all that it refers to, whatever the limits of the cache are. Another path under
the same name takes its place. Without a name the pins are shown.`,
  options: {
    remove: { names: ['--remove'], parameters: [], help: 'remove the pin; the path may go then' },
  },
  async run(args, signal) {
    const [cache, name, path, more] = args.positional;
    await using remote = new RemoteCache(findCache(cache), httpSettings());
    if (more !== undefined) throw new UsageError(`there is one argument too many: '${more}'`);
    if (args.has('remove')) {
      if (name === undefined || path !== undefined)
        throw new UsageError('--remove takes a cache and the name of a pin');
      await remote.removePin(name, signal);
    } else if (name === undefined) {
      const pins = await remote.pins(signal);
      if (args.has('json')) write(1, `${JSON.stringify(pins)}\n`);
      else for (const it of pins) write(1, `${it.name} ${it.path}\n`);
    } else {
      if (path === undefined) throw new UsageError('the path is missing');
      await remote.setPin({ name, path: path.replace(/\/+$/, '').replace(/^.*\//, '') }, signal);
    }
  },
});
