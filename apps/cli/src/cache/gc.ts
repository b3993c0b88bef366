/** `neve cache gc`: retention of caches, and the removal of what none of them needs. */
import { write } from '../output.ts';
import { formatBytes, parseAge } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { cacheCommand } from './cache-command.ts';
import { openAdministration, serverOptions } from './server-place.ts';

export const gcCommand = cacheCommand({
  name: 'gc',
  summary: 'remove what is too old or too much',
  usage: ['gc [OPTIONS] [NAME]'],
  arguments: ['text'],
  description: `Removes paths by the limits of each cache (--max-age and --max-size of 'create'), those first that were not used for the
longest time, and then the contents that no cache needs any more. A path that stays has all that it refers to; pinned paths stay.
It may run beside servers and be interrupted at any time.`,
  options: {
    ...serverOptions,
    grace: {
      names: ['--grace'],
      parameters: ['AGE'],
      help: 'what was used within this time stays in any case (default: 1h)',
    },
    dryRun: { names: ['--dry-run'], parameters: [], help: 'only say what would be removed' },
  },
  async run(args) {
    const [name, more] = args.positional;
    if (more !== undefined) throw new UsageError('neve cache gc takes one cache, or none for all');
    const dryRun = args.has('dryRun');
    const grace = args.last('grace');
    const graceMs = grace === undefined ? undefined : parseAge(grace);
    await using administration = await openAdministration(args, { create: false });
    const report = await administration.collect({ name, dryRun, graceMs });
    if (args.has('json')) {
      write(1, `${JSON.stringify({ ...report, dryRun })}\n`);
      return;
    }
    for (const cache of report.caches)
      for (const path of cache.removedPaths) write(1, `${cache.name} ${path}\n`);
    if (args.has('quiet')) return;
    const would = dryRun ? 'would be ' : '';
    for (const { name: cache, removedPaths, keptPaths, keptBytes } of report.caches) {
      const kept = `${keptPaths} stay with ${formatBytes(keptBytes)}`;
      write(2, `${cache}: ${removedPaths.length} paths ${would}removed, ${kept}\n`);
    }
    write(2, `${formatBytes(report.freedBytes)} ${would}freed\n`);
  },
});
