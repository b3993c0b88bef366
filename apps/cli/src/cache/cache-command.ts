/** What a command of `neve cache` is. `cache-main.ts` lists them. */
import type { GroupCommand } from '../command-group.ts';
import type { OptionSpec } from '../parse-words.ts';
import { logFormatOption } from '../progress/log-format-option.ts';
import { otlpOption } from '../telemetry/otlp-option.ts';
import { traceFileOption, tracerOption } from '../telemetry/trace-options.ts';

export const commonOptions = {
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  otlp: otlpOption,
  traceFile: traceFileOption,
  tracer: tracerOption,
  quiet: { names: ['--quiet'], parameters: [], help: 'show no progress' },
  logFormat: logFormatOption,
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
} as const satisfies Record<string, OptionSpec>;

export type CommonOptionName = keyof typeof commonOptions;

/** Keeps the names of the options known to `run`. */
export function cacheCommand<Name extends string>(
  command: GroupCommand<Name, CommonOptionName>,
): GroupCommand {
  // A command only asks for its own options and those of all, and it is given no others.
  return command;
}
