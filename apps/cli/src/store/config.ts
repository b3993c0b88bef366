/** `neve store config show`: which services make the store. */
import { describeComposition, printComposition } from '@neve/compose';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { storeConfiguration } from './open-store.ts';
import { storeCommand } from './store-command.ts';

export const configCommand = storeCommand({
  name: 'config',
  summary: 'show which services make the store',
  usage: ['config show [OPTIONS]'],
  arguments: [['show'], 'text'],
  description: `Checks the composition and prints it, with all defaults and without secrets, as a file for --store-composition.
Nothing is started.`,
  options: {},
  run(args) {
    const [action, more] = args.positional;
    if (action !== 'show' || more !== undefined)
      throw new UsageError(`'neve store config' knows only 'show'`);
    const config = storeConfiguration(args);
    write(
      1,
      args.has('json') ? `${JSON.stringify(describeComposition(config))}\n` : printComposition(config),
    );
    return Promise.resolve();
  },
});
