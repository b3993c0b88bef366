/** `neve image clear`: removes all that was kept. */
import { write } from '../output.ts';
import { formatBytes } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';
import { imageCommand, openFolder } from './image-command.ts';

export const clearCommand = imageCommand({
  name: 'clear',
  summary: 'remove all that was kept',
  usage: ['clear [OPTIONS]'],
  arguments: [],
  description:
    'Removes all results and images of evaluations. The next evaluations take as long as the first ones.',
  options: {},
  async run(args) {
    if (args.positional.length > 0) throw new UsageError('neve image clear takes no arguments');
    const { files, sizeBytes } = openFolder().clear();
    const text = args.has('json')
      ? JSON.stringify({ files, sizeBytes })
      : `${files} ${files === 1 ? 'file' : 'files'} removed, ${formatBytes(sizeBytes)}`;
    write(1, `${text}\n`);
    return await Promise.resolve(0);
  },
});
