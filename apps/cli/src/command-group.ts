/**
 * A command with commands of its own (`neve store`, `neve cache`): it finds the one that is meant, reads its options, runs it
 * until it ends or is interrupted, and shows help.
 */
import { setMaxListeners } from 'node:events';
import { reportFailure } from './error-text.ts';
import { optionLines } from './help.ts';
import { type Interruption, watchInterruptions } from './interruption.ts';
import { write } from './output.ts';
import { type Arguments, type OptionSpec, optionsByName, parseWords } from './parse-words.ts';

/** One command of a group. Each has a file of its own, named for it. */
export type GroupCommand<Name extends string = string, Common extends string = string> = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What comes after the name of the group, one way to use it each. */
  readonly usage: readonly string[];
  /** A paragraph or two for its own help. */
  readonly description: string;
  /** Its own options; those of all commands come on top. */
  readonly options: Readonly<Record<Name, OptionSpec>>;
  /** Gives the exit code when it is not 0. Throws `UsageError`, and the errors of the packages. */
  run(args: Arguments<Name | Common>, signal: AbortSignal): Promise<number | void>;
};

export type CommandGroup = {
  readonly name: string;
  /** A paragraph for the help of the group. */
  readonly description: string;
  readonly commands: readonly GroupCommand[];
  /** The options that each command has; `help` is one of them. */
  readonly options: Readonly<Record<string, OptionSpec>>;
};

/** Runs one command and gives the exit code. */
export async function runCommandGroup(group: CommandGroup, argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    return showHelp(group, { asked: first, topic: rest[0] });
  }
  const command = group.commands.find(({ name }) => name === first);
  if (command === undefined) {
    write(
      2,
      `error: unrecognised command '${group.name} ${first}'\nTry 'neve ${group.name} --help' for more information.\n`,
    );
    return 1;
  }
  const aborter = new AbortController();
  // Everything that is under way listens to it.
  setMaxListeners(0, aborter.signal);
  let interruption: Interruption | undefined;
  using _watch = watchInterruptions((it) => {
    interruption = it;
    aborter.abort();
  });
  try {
    const args = parseWords(rest, optionsByName({ ...command.options, ...group.options }));
    if (args.has('help')) return showHelp(group, { asked: 'help', topic: first });
    return (await command.run(args, aborter.signal)) ?? 0;
  } catch (error) {
    if (interruption !== undefined) return interruption.exitCode;
    return reportFailure(error, `${group.name} ${command.name}`);
  }
}

type HelpRequest = {
  /** The word that asked for it; without one it is the answer to a command that is missing. */
  readonly asked: string | undefined;
  readonly topic: string | undefined;
};

function showHelp(group: CommandGroup, { asked, topic }: HelpRequest): number {
  const command = group.commands.find(({ name }) => name === topic);
  write(asked === undefined ? 2 : 1, command === undefined ? helpOfGroup(group) : helpOf(command, group));
  return asked === undefined ? 1 : 0;
}

function helpOfGroup({ name: group, description, commands, options }: CommandGroup): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `Usage: neve ${group} COMMAND [OPTIONS] [ARGUMENTS]

${description}

Commands:
${lines.join('\n')}

Options of all commands:
${optionLines(Object.values(options))}

'neve ${group} COMMAND --help' shows the options of a command.
`;
}

function helpOf(command: GroupCommand, group: CommandGroup): string {
  const usage = command.usage.map((line) => `neve ${group.name} ${line}`).join('\n       ');
  return `Usage: ${usage}

${command.description}

Options:
${optionLines([...Object.values(command.options), ...Object.values(group.options)])}
`;
}
