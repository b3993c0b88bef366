/** `neve cache configure`: other settings for a cache. */
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { readSettings, settingOptions } from './cache-settings.ts';
import { cacheLines } from './describe-cache.ts';
import { onlyArgument, openAdministration, serverOptions } from './server-place.ts';

export const configureCommand = cacheCommand({
  name: 'configure',
  summary: 'change the settings of a cache',
  usage: ['configure [OPTIONS] NAME'],
  arguments: ['text'],
  description: `Changes the settings that are given, and leaves the others. A list, as that of the upstreams, takes the place of the
earlier one. Servers that use the folder heed it at once.`,
  options: { ...serverOptions, ...settingOptions },
  async run(args) {
    const name = onlyArgument(args.positional, 'the name of the cache');
    const settings = readSettings(args);
    if (Object.keys(settings).length === 0) throw new UsageError('there is nothing to change');
    await using administration = await openAdministration(args, { create: false });
    const cache = await administration.configure(name, settings);
    write(1, args.has('json') ? `${JSON.stringify(cache)}\n` : `${cacheLines(cache).join('\n')}\n`);
  },
});
