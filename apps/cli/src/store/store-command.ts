/** What a command of `neve store` is. Each has a file of its own, named for it; `store-main.ts` lists them. */
import type { Arguments, OptionSpec } from '../parse-words.ts';
import type { StoreOptionName } from './store-options.ts';

export type StoreCommand<Name extends string = string> = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What comes after `neve store`, one way to use it each. */
  readonly usage: readonly string[];
  /** A paragraph or two for its own help. */
  readonly description: string;
  /** Its own options; those of all commands come on top. */
  readonly options: Readonly<Record<Name, OptionSpec>>;
  /** Gives the exit code when it is not 0. Throws `UsageError`, and the errors of the packages. */
  run(args: Arguments<Name | StoreOptionName>, signal: AbortSignal): Promise<number | void>;
};

/** Keeps the names of the options known to `run`. */
export function storeCommand<Name extends string>(command: StoreCommand<Name>): StoreCommand {
  // A command only asks for its own options, and it is given no others.
  return command;
}
