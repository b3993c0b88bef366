/**
 * Splits a command line into options and other arguments, by a table of options. Both may be mixed; after `--` everything
 * is an argument; `--name=value` is one word for an option and its argument; `-` alone is an argument.
 */
import { unknownOption } from './unknown-word.ts';
import { UsageError } from './usage-error.ts';
import type { ValueKind } from './value-kind.ts';

export type OptionSpec = {
  /** The first name is the one in messages. */
  readonly names: readonly string[];
  /** What its arguments are called; their number is how many it takes. */
  readonly parameters: readonly string[];
  /** What may be given as `--name=value`, of an option without parameters. */
  readonly optionalValue?: string;
  /** Whether all words that follow are its arguments. */
  readonly takesRest?: boolean;
  /** What its arguments stand for, where the names of the parameters do not say it (`value-kind.ts`). */
  readonly values?: readonly ValueKind[];
  readonly help: string;
};

/** What an option was given with, each time it was given. */
export type Occurrence<Name extends string> = { readonly option: Name; readonly values: readonly string[] };

export class Arguments<Name extends string> {
  readonly occurrences: readonly Occurrence<Name>[];
  /** What is no option, in order. */
  readonly positional: readonly string[];

  constructor(occurrences: readonly Occurrence<Name>[], positional: readonly string[]) {
    this.occurrences = occurrences;
    this.positional = positional;
  }

  has(option: Name): boolean {
    return this.occurrences.some((it) => it.option === option);
  }

  /** The first value of each occurrence. */
  all(option: Name): readonly string[] {
    return this.occurrences.filter((it) => it.option === option).map((it) => it.values[0] ?? '');
  }

  last(option: Name): string | undefined {
    return this.all(option).at(-1);
  }
}

/** Options by every name they have. */
export type OptionsByName<Name extends string> = ReadonlyMap<
  string,
  { readonly option: Name; readonly spec: OptionSpec }
>;

/** A word that looks like an option and is not in the table. */
export type UnknownOption = {
  readonly name: string;
  readonly hasValue: boolean;
  /** The words after it, as many as there are parameters. Throws `UsageError` when they are not there. */
  readonly take: (parameters: readonly string[]) => readonly string[];
};

export function optionsByName<Name extends string>(
  table: Readonly<Record<Name, OptionSpec>>,
): OptionsByName<Name> {
  // Object.entries forgets that the table has exactly these keys.
  const entries = Object.entries<OptionSpec>(table) as [Name, OptionSpec][];
  return new Map(
    entries.flatMap(([option, spec]) => spec.names.map((name) => [name, { option, spec }] as const)),
  );
}

/** Throws `UsageError`. `takeUnknown` says whether it knew what to do with an option. */
export function parseWords<Name extends string>(
  argv: readonly string[],
  options: OptionsByName<Name>,
  takeUnknown: (unknown: UnknownOption) => boolean = () => false,
): Arguments<Name> {
  const occurrences: Occurrence<Name>[] = [];
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
    const known = options.get(name);
    const take = (parameters: readonly string[]): readonly string[] => takeValues(name, parameters);
    if (known?.spec.optionalValue !== undefined) {
      occurrences.push({ option: known.option, values: value === undefined ? [] : words.splice(0, 1) });
    } else if (known !== undefined) {
      const { parameters } = known.spec;
      if (value !== undefined && parameters.length === 0) {
        throw new UsageError(`flag '${name}' takes no argument`);
      }
      const values = take(parameters);
      const rest = known.spec.takesRest === true ? words.splice(0) : [];
      occurrences.push({ option: known.option, values: [...values, ...rest] });
    } else if (!takeUnknown({ name, hasValue: value !== undefined, take })) {
      throw unknownOption(name, options.keys());
    }
  }
  return new Arguments(occurrences, positional);

  function takeValues(name: string, parameters: readonly string[]): readonly string[] {
    const values = words.splice(0, parameters.length);
    if (values.length === parameters.length) return values;
    const wanted = parameters.length === 1 ? 'an argument' : `${parameters.length} arguments`;
    throw new UsageError(`flag '${name}' requires ${wanted} (${parameters.join(' ')})`);
  }
}

/** The parts of `--name=value` or `-Ivalue`; every other word is a name. */
function splitValue(word: string): { name: string; value: string | undefined } {
  const [, name = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-I)(.+)$/s.exec(word) ?? [];
  return { name, value };
}
