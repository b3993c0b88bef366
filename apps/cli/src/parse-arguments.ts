/** Reads the arguments of the commands that evaluate, by `optionTable`; settings are options too. */
import {
  type EvaluateOptionSpec,
  type EvaluatingCommand,
  type OptionName,
  optionTable,
} from './option-table.ts';
import {
  type Arguments,
  type OptionsByName,
  type UnknownOption,
  optionsByName,
  parseWords,
} from './parse-words.ts';
import { settingOfOption, settingOptions, type Settings } from './settings.ts';
import { unknownOption } from './unknown-word.ts';
import { UsageError } from './usage-error.ts';

export type CommandName = EvaluatingCommand;

export type EvaluateArguments = Arguments<OptionName>;

/** Throws `UsageError`; settings are set as they are met. */
export function parseArguments(
  argv: readonly string[],
  { command, settings }: { command: CommandName; settings: Settings },
): EvaluateArguments {
  const options = optionsOf(command);
  return parseWords(argv, options, settingTaker([...options.keys()], settings));
}

/** Takes an option that is a setting. `names` are those of the options that are none, of which one may be meant. */
export function settingTaker(
  names: readonly string[],
  settings: Settings,
): (option: UnknownOption) => boolean {
  return ({ name: flag, hasValue, take }) => {
    const setting = flag.startsWith('--') ? settingOfOption(flag) : undefined;
    if (setting === undefined) throw unknownOption(flag, [...names, ...settingOptions()]);
    if (hasValue && setting.value === 'false') throw new UsageError(`flag '${flag}' takes no argument`);
    const wanted = hasValue || setting.value === undefined;
    const [value = ''] = wanted ? take(['VALUE']) : [setting.value];
    return settings.set(setting.name, value);
  };
}

/** Options of a command by every name they have. */
export function optionsOf(command: CommandName): OptionsByName<OptionName> {
  // What belongs to another command would hide options of the same name.
  const table = Object.entries<EvaluateOptionSpec>(optionTable).filter(
    ([, { only }]) => only === undefined || only.includes(command),
  );
  return optionsByName(Object.fromEntries(table) as Record<OptionName, EvaluateOptionSpec>);
}
