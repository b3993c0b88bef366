/** The words of a command that evaluates, with the settings that files, the environment and options give. */
import type { Caller } from './caller.ts';
import { applyConfigFiles } from './config-files.ts';
import { type CommandName, type EvaluateArguments, parseArguments } from './parse-arguments.ts';
import type { Settings } from './settings.ts';

/** Throws `UsageError`. Unknown settings are warned of. */
export function parseCommandLine(
  words: readonly string[],
  {
    command,
    settings,
    caller,
  }: { readonly command: CommandName; readonly settings: Settings; readonly caller: Caller },
): EvaluateArguments {
  applyConfigFiles(settings, caller.environment);
  const args = parseArguments(words, { command, settings });
  for (const { option, values } of args.occurrences) {
    const [name = '', value = ''] = values;
    if (option === 'option' && !settings.set(name, value)) {
      caller.write(2, `warning: unknown setting '${name}'\n`);
    }
  }
  return args;
}
