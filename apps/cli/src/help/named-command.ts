/** Commands of the table by the words with which they are called. */
import type { CommandDescription, CommandTable } from '../command-description.ts';

export type NamedCommand = {
  /** The words after `neve`; none for `neve` itself. */
  readonly path: readonly string[];
  readonly command: CommandDescription;
};

export function commandNamed(path: readonly string[], { root }: CommandTable): NamedCommand | undefined {
  let command: CommandDescription | undefined = root;
  for (const word of path) command = command?.commands?.find(({ name }) => name === word);
  return command === undefined ? undefined : { path, command };
}

/** Every command, each before its own ones. */
export function allCommands({ root }: CommandTable): readonly NamedCommand[] {
  return [...commandsBelow({ path: [], command: root })];
}

function* commandsBelow({ path, command }: NamedCommand): Generator<NamedCommand, void, void> {
  yield { path, command };
  for (const child of command.commands ?? []) {
    yield* commandsBelow({ path: [...path, child.name], command: child });
  }
}
