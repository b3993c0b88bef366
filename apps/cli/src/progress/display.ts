/**
 * What shows progress and messages: one for each command, whatever form it has. Whatever the command prints goes through it,
 * so that nothing is torn.
 */
import { UsageError } from '../usage-error.ts';
import type { ProgressEvent } from './progress-event.ts';

export interface Display extends Disposable {
  report(event: ProgressEvent): void;
  /** To standard output or error. */
  write(file: 1 | 2, text: string | Uint8Array): void;
}

/** `pretty` draws at a terminal and prints lines elsewhere; the others are always what they are. */
export type LogFormat = 'pretty' | 'raw' | 'json' | 'internal-json';

export type DisplayOptions = {
  readonly format: LogFormat;
  /** `named`: each line of a build's log after the name of its derivation; `raw`: as it is. */
  readonly buildLogs: 'none' | 'named' | 'raw';
  readonly quiet: boolean;
  readonly verbose: boolean;
};

/** With the names that Nix has for them too. Throws `UsageError`. */
export function displayOptions(args: {
  readonly has: (option: 'printBuildLogs' | 'quiet' | 'verbose') => boolean;
  readonly last: (option: 'logFormat') => string | undefined;
}): DisplayOptions {
  const common = { quiet: args.has('quiet'), verbose: args.has('verbose') };
  const buildLogs = args.has('printBuildLogs') ? 'named' : 'none';
  const name = args.last('logFormat') ?? 'pretty';
  switch (name) {
    case 'pretty':
    case 'bar':
      return { format: 'pretty', buildLogs, ...common };
    case 'bar-with-logs':
      return { format: 'pretty', buildLogs: 'named', ...common };
    case 'raw':
    case 'json':
    case 'internal-json':
      return { format: name, buildLogs, ...common };
    case 'raw-with-logs':
      return { format: 'raw', buildLogs: 'raw', ...common };
  }
  throw new UsageError(`option '--log-format' has an invalid value '${name}': see --help`);
}
