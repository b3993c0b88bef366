/** What a command of `neve cache` is. Each has a file of its own, named for it; `cache-main.ts` lists them. */
import { otlpOption } from '../telemetry/otlp-option.ts';
import type { Arguments, OptionSpec } from '../parse-words.ts';

export const commonOptions = {
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  otlp: otlpOption,
  quiet: { names: ['--quiet'], parameters: [], help: 'show no progress' },
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
} as const satisfies Record<string, OptionSpec>;

export type CommonOptionName = keyof typeof commonOptions;

export type CacheCommand<Name extends string = string> = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What comes after `neve cache`, one way to use it each. */
  readonly usage: readonly string[];
  /** A paragraph or two for its own help. */
  readonly description: string;
  /** Its own options; those of all commands come on top. */
  readonly options: Readonly<Record<Name, OptionSpec>>;
  /** Gives the exit code when it is not 0. Throws `UsageError`, and the errors of the packages. */
  run(args: Arguments<Name | CommonOptionName>, signal: AbortSignal): Promise<number | void>;
};

/** Keeps the names of the options known to `run`. */
export function cacheCommand<Name extends string>(command: CacheCommand<Name>): CacheCommand {
  // A command only asks for its own options, and it is given no others.
  return command;
}
