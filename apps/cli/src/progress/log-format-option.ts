/** The option of every command that shows progress. It stands alone, since all tables of options have it. */
import type { OptionSpec } from '../parse-words.ts';

export const logFormatOption = {
  names: ['--log-format'],
  parameters: ['FORMAT'],
  help: 'how progress is shown: pretty, raw, json, internal-json; bar, bar-with-logs, raw-with-logs as in Nix',
} as const satisfies OptionSpec;
