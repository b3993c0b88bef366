/**
 * A command with commands of its own (`neve store`, `neve cache`): it finds the one that is meant, reads its options, runs it
 * until it ends or is interrupted, and shows help.
 */
import { setMaxListeners } from 'node:events';
import { reportFailure } from './error-text.ts';
import type { CommandDescription } from './command-description.ts';
import { helpText } from './help.ts';
import { type TopLevelName, summaries } from './top-level-commands.ts';
import { unknownCommand } from './unknown-word.ts';
import type { ValueKind } from './value-kind.ts';
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
  /** What its arguments are, for completion; the last one may come again. Files, without it. */
  readonly arguments?: readonly ValueKind[];
  /** Gives the exit code when it is not 0. Throws `UsageError`, and the errors of the packages. */
  run(args: Arguments<Name | Common>, signal: AbortSignal): Promise<number | void>;
};

export type CommandGroup = {
  readonly name: TopLevelName;
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
    const names = group.commands.map(({ name }) => name);
    return reportFailure(unknownCommand(first, names, group.name), group.name);
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
  const description = describeGroup(group);
  const command = description.commands?.find(({ name }) => name === topic);
  write(asked === undefined ? 2 : 1, helpText(command ?? description));
  return asked === undefined ? 1 : 0;
}

export function describeGroup({
  name: group,
  description,
  commands,
  options,
}: CommandGroup): CommandDescription {
  return {
    name: group,
    summary: summaries[group],
    usage: [`${group} COMMAND [OPTIONS] [ARGUMENTS]`],
    description,
    options: Object.values(options),
    isGroup: true,
    commands: commands.map((command) => ({
      name: command.name,
      summary: command.summary,
      usage: command.usage.map((line) => `${group} ${line}`),
      description: command.description,
      options: Object.values({ ...command.options, ...options }),
      ...(command.arguments !== undefined && { arguments: command.arguments }),
    })),
  };
}
