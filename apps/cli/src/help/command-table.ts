/** The table of all commands, put together from what each script says of its own, and read where the build has left it. */
import { readFileSync } from 'node:fs';
import type { CommandDescription, CommandTable } from '../command-description.ts';
import { rootOptions, summaries, topLevelNames } from '../top-level-commands.ts';
import { notesOfCommands } from './command-notes.ts';
import { describeSettings } from './setting-descriptions.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `described` are the commands of the other scripts. Throws for one of the help text that nobody describes. */
export function makeCommandTable(
  release: Pick<CommandTable, 'version' | 'date'>,
  described: readonly CommandDescription[],
): CommandTable {
  const known = [...described, ...ownCommands];
  const commands = topLevelNames.map((name) => {
    const command = known.find((it) => it.name === name);
    if (command === undefined) throw new Error(`nobody describes the command '${name}'`);
    return withNotes(command, [name]);
  });
  return { ...release, root: { ...rootCommand, commands }, settings: describeSettings() };
}

/** Throws what Node throws for a file that cannot be read. */
export function readCommandTable(path: string): CommandTable {
  return JSON.parse(readFileSync(path, 'utf8')) as CommandTable;
}

function withNotes(command: CommandDescription, path: readonly string[]): CommandDescription {
  const notes = notesOfCommands[path.join(' ')];
  return {
    ...command,
    ...(notes !== undefined && { notes }),
    ...(command.commands !== undefined && {
      commands: command.commands.map((it) => withNotes(it, [...path, it.name])),
    }),
  };
}

/** `neve` itself, without its commands. */
export const rootCommand: CommandDescription = {
  name: 'neve',
  summary: 'Nix, taken apart and rebuilt in TypeScript',
  usage: ['COMMAND [OPTIONS] [ARGUMENTS]'],
  description: 'Neve is Nix, taken apart and rebuilt in TypeScript.',
  options: rootOptions,
};

const helpOption = { names: ['--help', '-h'], parameters: [], help: 'show this help' } as const;

/** The commands of this script. */
export const ownCommands: readonly CommandDescription[] = [
  {
    name: 'completion',
    summary: summaries.completion,
    usage: ['completion SHELL'],
    description: `Prints a script for bash, zsh or fish that completes commands, options and their values, settings, files, store paths and
attribute paths. For attribute paths the file is evaluated as far as their names need it, in at most three seconds: nothing is
built, fetched or written, and what fails gives no names.`,
    arguments: [shells],
    options: [helpOption],
  },
  {
    name: 'help',
    summary: summaries.help,
    usage: ['help [OPTIONS] [COMMAND [COMMAND]]'],
    description: 'Shows the commands, or the options of one of them.',
    arguments: ['command'],
    options: [
      { names: ['--man'], parameters: [], help: 'print the manual page, for man -l -' },
      { names: ['--markdown'], parameters: [], help: 'print the page of the reference' },
      helpOption,
    ],
  },
];
