/** `neve image`: the list of its commands. */
import type { CommandDescription } from '../command-description.ts';
import { type CommandGroup, describeGroup, runCommandGroup } from '../command-group.ts';
import { clearCommand } from './clear.ts';
import { explainCommand } from './explain.ts';
import { commonOptions } from './image-command.ts';
import { listCommand } from './list.ts';

const groupFor = (build: string | undefined): CommandGroup => ({
  name: 'image',
  description:
    'What evaluations have printed is kept with what they have read, and is the answer while all of that still holds.',
  options: commonOptions,
  commands: [listCommand, explainCommand(build), clearCommand],
});

/** Runs one command and gives the exit code. `build` is which Neve this is. */
export function runImageCommand(argv: readonly string[], build: string): Promise<number> {
  const [first, second = '', ...rest] = argv;
  // The words of an evaluation are not options of this command.
  const isOfExplain = first === 'explain' && second !== '' && !second.startsWith('-');
  return runCommandGroup(groupFor(build), isOfExplain ? [first, '--', second, ...rest] : argv);
}

/** For manuals and completion. */
export function describe(): CommandDescription {
  return describeGroup(groupFor(undefined));
}
