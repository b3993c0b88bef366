/** `neve cache list`: the caches of a server. */
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { openAdministration, serverOptions } from './server-place.ts';

export const listCommand = cacheCommand({
  name: 'list',
  summary: 'show the caches of a server',
  usage: ['list [OPTIONS]'],
  arguments: [],
  description: 'Shows the names of the caches; with --json their settings.',
  options: serverOptions,
  async run(args) {
    if (args.positional.length > 0) throw new UsageError('neve cache list takes no arguments');
    await using administration = await openAdministration(args, { create: false });
    const caches = await administration.list();
    if (args.has('json')) write(1, `${JSON.stringify(caches)}\n`);
    else
      for (const { name, isPublic } of caches) write(1, `${name}${isPublic === true ? ' (public)' : ''}\n`);
  },
});
