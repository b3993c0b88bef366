/** `neve cache remove`: a cache with all that is in it. */
import { cacheCommand } from './cache-command.ts';
import { onlyArgument, openAdministration, serverOptions } from './server-place.ts';

export const removeCommand = cacheCommand({
  name: 'remove',
  summary: 'remove a cache',
  usage: ['remove [OPTIONS] NAME'],
  arguments: ['text'],
  description: `Removes the cache with its keys and all that is in it. The space of what no other cache has is free after the next
'neve cache gc'.`,
  options: serverOptions,
  async run(args) {
    const name = onlyArgument(args.positional, 'the name of the cache');
    await using administration = await openAdministration(args, { create: false });
    await administration.remove(name);
  },
});
