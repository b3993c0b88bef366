/** `neve image list`: what is kept. */
import type { EntrySummary } from '@neve/eval-images/node';
import { write } from '../output.ts';
import { formatBytes, formatDuration } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { commandLineOf } from './command-line.ts';
import { imageCommand, openFolder } from './image-command.ts';

export const listCommand = imageCommand({
  name: 'list',
  summary: 'show what is kept',
  usage: ['list [OPTIONS]'],
  arguments: [],
  description:
    'Shows results and images that are kept, those that were used last first: size, last use, and of what.',
  options: {},
  async run(args) {
    if (args.positional.length > 0) throw new UsageError('neve image list takes no arguments');
    const entries = openFolder()
      .list()
      .filter(({ kind }) => kind === 'result' || kind === 'image');
    if (args.has('json')) write(1, `${JSON.stringify(entries)}\n`);
    else for (const entry of entries) write(1, `${lineOf(entry)}\n`);
    return await Promise.resolve(0);
  },
});

function lineOf({ kind, key, sizeBytes, lastUsedMs }: EntrySummary): string {
  const age = formatDuration(Date.now() - lastUsedMs);
  return [
    kind.padEnd(8),
    formatBytes(sizeBytes).padStart(10),
    `${age} ago`.padStart(12),
    ' ',
    commandLineOf(key),
  ].join(' ');
}
