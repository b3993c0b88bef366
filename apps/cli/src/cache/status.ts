/** `neve cache status`: what a server has, or how one is logged in to a cache. */
import { write } from '../output.ts';
import { formatBytes } from '../quantities.ts';
import { cacheCommand } from './cache-command.ts';
import { cacheLines } from './describe-cache.ts';
import { openAdministration, serverOptions } from './server-place.ts';

export const statusCommand = cacheCommand({
  name: 'status',
  summary: 'show what the caches of a server have',
  usage: ['status [OPTIONS] [NAME]…'],
  arguments: ['text'],
  description: 'Shows the settings of the caches, and how many paths and bytes of NARs are in them.',
  options: serverOptions,
  async run(args) {
    await using administration = await openAdministration(args, { create: false });
    const names =
      args.positional.length > 0 ? args.positional : (await administration.list()).map(({ name }) => name);
    const result = [];
    for (const name of names) {
      result.push({ ...(await administration.describe(name)), usage: await administration.usage(name) });
    }
    if (args.has('json')) {
      write(1, `${JSON.stringify(result)}\n`);
      return;
    }
    const blocks = result.map((cache) => {
      const { paths, narBytes, pins } = cache.usage;
      return `${[...cacheLines(cache), `contents:     ${paths} paths, ${formatBytes(narBytes)}, ${pins} pins`].join('\n')}\n`;
    });
    write(1, blocks.join('\n'));
  },
});
