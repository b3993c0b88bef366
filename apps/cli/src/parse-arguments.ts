/**
 * Reads the arguments of a command by `optionTable`. Options and other arguments may be mixed; after `--` everything
 * is an argument; `--name=value` is one word for an option and its argument; `-` alone is an argument.
 */
import { type OptionName, type OptionSpec, optionTable } from './option-table.ts';
import { settingOfOption, type Settings } from './settings.ts';
import { UsageError } from './usage-error.ts';

export type CommandName = 'eval' | 'instantiate';

/** What an option was given with, each time it was given. */
export type Occurrence = { readonly option: OptionName; readonly values: readonly string[] };

export class Arguments {
  readonly occurrences: readonly Occurrence[];
  /** What is no option, in order. */
  readonly positional: readonly string[];

  constructor(occurrences: readonly Occurrence[], positional: readonly string[]) {
    this.occurrences = occurrences;
    this.positional = positional;
  }

  has(option: OptionName): boolean {
    return this.occurrences.some((it) => it.option === option);
  }

  /** The first value of each occurrence. */
  all(option: OptionName): readonly string[] {
    return this.occurrences.filter((it) => it.option === option).map((it) => it.values[0] ?? '');
  }

  last(option: OptionName): string | undefined {
    return this.all(option).at(-1);
  }
}

/** Throws `UsageError`; settings are set as they are met. */
export function parseArguments(
  argv: readonly string[],
  context: { command: CommandName; settings: Settings },
): Arguments {
  const { command, settings } = context;
  const options = optionsOf(command);
  const occurrences: Occurrence[] = [];
  const positional: string[] = [];
  const words = [...argv];

  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') return new Arguments(occurrences, [...positional, ...words]);
    if (!word.startsWith('-') || word === '-') {
      positional.push(word);
      continue;
    }
    const { name, value } = splitValue(word);
    if (value !== undefined) words.unshift(value);
    const option = options.get(name);
    const takesNone = option !== undefined && optionTable[option].parameters.length === 0;
    if (value !== undefined && takesNone) throw new UsageError(`flag '${name}' takes no argument`);
    if (option !== undefined) occurrences.push({ option, values: takeValues(name, optionTable[option]) });
    else if (!takeSetting(name, value !== undefined)) throw new UsageError(`unrecognised flag '${name}'`);
  }
  return new Arguments(occurrences, positional);

  function takeValues(name: string, { parameters }: OptionSpec): string[] {
    const values = words.splice(0, parameters.length);
    if (values.length === parameters.length) return values;
    const wanted = parameters.length === 1 ? 'an argument' : `${parameters.length} arguments`;
    throw new UsageError(`flag '${name}' requires ${wanted} (${parameters.join(' ')})`);
  }

  function takeSetting(flag: string, hasValue: boolean): boolean {
    const setting = flag.startsWith('--') ? settingOfOption(flag) : undefined;
    if (setting === undefined) return false;
    if (hasValue && setting.value === 'false') throw new UsageError(`flag '${flag}' takes no argument`);
    const wanted = hasValue || setting.value === undefined;
    const [value = ''] = wanted ? takeValues(flag, anySetting) : [setting.value];
    return settings.set(setting.name, value);
  }
}

const anySetting: OptionSpec = { names: [], parameters: ['VALUE'], help: '' };

/** The parts of `--name=value` or `-Ivalue`; every other word is a name. */
function splitValue(word: string): { name: string; value: string | undefined } {
  const [, name = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-I)(.+)$/s.exec(word) ?? [];
  return { name, value };
}

/** Options of a command by every name they have. */
export function optionsOf(command: CommandName): ReadonlyMap<string, OptionName> {
  const result = new Map<string, OptionName>();
  for (const option of optionNames()) {
    const spec: OptionSpec = optionTable[option];
    if (spec.only !== undefined && spec.only !== command) continue;
    for (const name of spec.names) result.set(name, option);
  }
  return result;
}

function optionNames(): OptionName[] {
  // Object.keys forgets that the table has exactly these keys.
  return Object.keys(optionTable) as OptionName[];
}
