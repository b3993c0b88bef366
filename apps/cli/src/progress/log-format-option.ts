/**
 * The option of every command for the form of its standard error. It stands alone, since all tables of options have it; and
 * whether that is a form for programs is known before any of them is read, so that they also get what is wrong with the
 * command line.
 */
import { lastValue } from '../last-value.ts';
import type { OptionSpec } from '../parse-words.ts';

export const logFormatOption = {
  names: ['--log-format'],
  parameters: ['FORMAT'],
  help: 'how progress is shown: pretty, raw, json, internal-json; bar, bar-with-logs, raw-with-logs as in Nix',
} as const satisfies OptionSpec;

/** The form for programs that a command line asks for, if any. The last option counts. */
export function formatForPrograms(argv: readonly string[]): 'json' | 'internal-json' | undefined {
  const format = lastValue(argv, '--log-format');
  return format === 'json' || format === 'internal-json' ? format : undefined;
}
