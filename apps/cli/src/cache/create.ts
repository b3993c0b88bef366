/** `neve cache create`: a new cache of a server. */
import { write } from '../output.ts';
import { cacheCommand } from './cache-command.ts';
import { readSettings, settingOptions } from './cache-settings.ts';
import { cacheLines } from './describe-cache.ts';
import { onlyArgument, openAdministration, serverOptions } from './server-place.ts';

export const createCommand = cacheCommand({
  name: 'create',
  summary: 'make a cache',
  usage: ['create [OPTIONS] NAME'],
  arguments: ['text'],
  description: `Makes a cache in the folder of a server, which is made with the first one. It gets a key of its own, NAME-1, that
signs everything that is in it, unless keys are given. Servers that use the folder have the cache at once.`,
  options: { ...serverOptions, ...settingOptions },
  async run(args) {
    const name = onlyArgument(args.positional, 'the name of the cache');
    const settings = readSettings(args);
    await using administration = await openAdministration(args, { create: true });
    const cache = await administration.create(name, settings);
    write(1, args.has('json') ? `${JSON.stringify(cache)}\n` : `${cacheLines(cache).join('\n')}\n`);
  },
});
