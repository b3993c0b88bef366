/**
 * What a word on the command line could become. The words before it say where it stands: the command, an option that waits for
 * its arguments, or an argument of the command. What has to be looked up is asked of `CompletionSources`.
 */
import type { CommandDescription, CommandTable } from '../command-description.ts';
import type { OptionSpec } from '../parse-words.ts';
import { type ValueKind, kindOfParameter } from '../value-kind.ts';

export type Candidate = {
  /** The whole word. */
  readonly text: string;
  /** Empty where there is nothing to say. */
  readonly description: string;
};

export type Completion = {
  readonly candidates: readonly Candidate[];
  /** What the shell completes by itself, beside them. */
  readonly files: 'none' | 'files' | 'directories';
  /** Whether the word goes on after a candidate. */
  readonly isOpen: boolean;
};

export interface CompletionSources {
  /** Names below an attribute path, with the path before them. `words` are the command and what comes before. */
  attributes(words: readonly string[], prefix: string): Promise<readonly string[]>;
  /** Names of the arguments of the function that is evaluated. */
  formals(words: readonly string[]): Promise<readonly string[]>;
  /** Store paths that begin so, where the shell does not see them as files. */
  storePaths(words: readonly string[], prefix: string): Promise<readonly string[]>;
}

/** `words` are those after `neve` until the cursor, the last one perhaps empty. */
export async function completeWords(
  words: readonly string[],
  { table, sources }: { readonly table: CommandTable; readonly sources: CompletionSources },
): Promise<Completion> {
  const before = words.slice(0, -1);
  const word = words.at(-1) ?? '';
  const place = placeOf(before, table);
  const look: Lookup = { table, sources, before };
  if (place.waiting !== undefined) return await completeValue(word, place.waiting, look);
  if (place.isOptionsOver || !word.startsWith('-')) return await completeArgument(word, place, look);
  const [, name, text] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  return name === undefined || text === undefined
    ? completeOption(word, place.command, table)
    : await completeValueAfter(`${name}=`, { text, waiting: valueOf(name, place.command, table) }, look);
}

type Lookup = {
  readonly table: CommandTable;
  readonly sources: CompletionSources;
  readonly before: readonly string[];
};

/** An argument of an option that comes next. */
type Waiting = {
  readonly kind: ValueKind;
  /** The arguments of the same option before it. */
  readonly given: readonly string[];
};

type Place = {
  readonly command: CommandDescription;
  readonly positional: readonly string[];
  readonly waiting: Waiting | undefined;
  readonly isOptionsOver: boolean;
  /** Whether arguments are attribute paths, since something else says what is evaluated. */
  readonly selects: boolean;
};

function placeOf(words: readonly string[], table: CommandTable): Place {
  let command = table.root;
  const positional: string[] = [];
  let selects = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const place = { command, positional, selects };
    if (word === '--') {
      return {
        ...place,
        positional: [...positional, ...words.slice(index + 1)],
        waiting: undefined,
        isOptionsOver: true,
      };
    }
    if (word.startsWith('-') && word !== '-') {
      const isWhole = word.startsWith('--') && word.includes('=');
      const option = optionNamed(word.replace(/=.*$/s, ''), command, table);
      selects ||=
        option !== undefined && sourceOptions.includes(option.names[0] ?? '') && option.parameters.length > 0;
      const wanted = isWhole ? [] : (option?.parameters ?? []);
      const given = words.slice(index + 1, index + 1 + wanted.length);
      if (option !== undefined && given.length < wanted.length) {
        return {
          ...place,
          selects,
          waiting: { kind: kindOfValue(option, given.length), given },
          isOptionsOver: false,
        };
      }
      index += wanted.length;
      continue;
    }
    const child = positional.length === 0 ? command.commands?.find(({ name }) => name === word) : undefined;
    if (child === undefined) positional.push(word);
    else command = child;
  }
  return { command, positional, selects, waiting: undefined, isOptionsOver: false };
}

/** By their first names. */
const sourceOptions: readonly string[] = ['--file', '--expr'];

async function completeArgument(
  word: string,
  { command, positional, selects }: Place,
  look: Lookup,
): Promise<Completion> {
  const commands =
    positional.length === 0
      ? (command.commands ?? []).map(({ name, summary }) => ({ text: name, description: summary }))
      : [];
  const matching = startingWith(word, commands);
  if (command.isGroup === true || command === look.table.root) return closed(matching);
  const kinds = selects ? (['attribute'] as const) : (command.arguments ?? (['file'] as const));
  const kind = kinds[Math.min(positional.length, kinds.length - 1)] ?? 'text';
  const completion =
    kind === 'command'
      ? completeCommand(word, positional, look.table)
      : await completeValue(word, { kind, given: [] }, look);
  return { ...completion, candidates: [...matching, ...completion.candidates] };
}

function completeCommand(word: string, path: readonly string[], { root }: CommandTable): Completion {
  let command: CommandDescription | undefined = root;
  for (const name of path) command = command?.commands?.find((it) => it.name === name);
  const commands = command?.commands ?? [];
  return closed(
    startingWith(
      word,
      commands.map(({ name, summary }) => ({ text: name, description: summary })),
    ),
  );
}

function completeOption(word: string, command: CommandDescription, table: CommandTable): Completion {
  const own = command.options.flatMap(({ names, optionalValue, help }) =>
    names.flatMap((text) => [
      { text, description: help },
      ...(optionalValue === undefined ? [] : [{ text: `${text}=`, description: help }]),
    ]),
  );
  const all = [...own, ...(command.takesSettings === true ? settingOptions(word, table) : [])];
  // A setting that has an option of its own is that option.
  const unique = new Map(all.map((it) => [it.text, it] as const).toReversed());
  const candidates = startingWith(word, [...unique.values()].toReversed());
  return {
    candidates,
    files: 'none',
    isOpen: candidates.length === 1 && candidates[0]?.text.endsWith('=') === true,
  };
}

/** Those that begin with `--no-` and `--extra-` only when one has begun to write that. */
function settingOptions(word: string, { settings }: CommandTable): readonly Candidate[] {
  const option = (prefix: string, name: string, description: string): readonly Candidate[] =>
    prefix !== '--' && !word.startsWith(prefix.slice(0, 4))
      ? []
      : [{ text: `${prefix}${name}`, description }];
  return settings.flatMap(({ name, kind, description }) => [
    ...option('--', name, description),
    ...(kind === 'switch' ? option('--no-', name, description) : []),
    ...(kind === 'list' ? option('--extra-', name, description) : []),
  ]);
}

async function completeValueAfter(
  prefix: string,
  { text, waiting }: { readonly text: string; readonly waiting: Waiting | undefined },
  look: Lookup,
): Promise<Completion> {
  if (waiting === undefined) return nothing;
  const completion = await completeValue(text, waiting, look);
  const candidates = completion.candidates.map((it) => ({ ...it, text: `${prefix}${it.text}` }));
  return { ...completion, candidates };
}

// oxlint-disable-next-line complexity -- one case for each kind
async function completeValue(word: string, { kind, given }: Waiting, look: Lookup): Promise<Completion> {
  const { sources, before, table } = look;
  if (typeof kind !== 'string')
    return closed(
      startingWith(word, undescribed(kind)),
      kind.some((it) => it.endsWith(':')),
    );
  switch (kind) {
    case 'file':
      return { ...nothing, files: 'files' };
    case 'directory':
      return { ...nothing, files: 'directories' };
    case 'store-path':
      return { ...closed(undescribed(await sources.storePaths(before, word))), files: 'files' };
    case 'attribute': {
      const names = undescribed(await sources.attributes(before, word));
      return closed(names, names.length === 1 && names[0]?.text.endsWith('.') === true);
    }
    case 'formal':
      return closed(startingWith(word, undescribed(await sources.formals(before))));
    case 'setting':
      return closed(startingWith(word, table.settings.flatMap(settingNames)));
    case 'setting-value':
      return closed(startingWith(word, undescribed(settingValues(given[0] ?? '', table))));
    case 'command':
    case 'text':
      return nothing;
  }
}

function settingNames({ name, kind, description }: CommandTable['settings'][number]): readonly Candidate[] {
  const own = { text: name, description };
  return kind === 'list' ? [own, { text: `extra-${name}`, description }] : [own];
}

function settingValues(name: string, { settings }: CommandTable): readonly string[] {
  const kind = settings.find((it) => it.name === name)?.kind;
  if (name === 'sandbox') return ['true', 'false', 'relaxed'];
  return kind === 'switch' ? ['true', 'false'] : kind === 'lint' ? ['ignore', 'warn', 'fatal'] : [];
}

function valueOf(name: string, command: CommandDescription, table: CommandTable): Waiting | undefined {
  const option = optionNamed(name, command, table);
  return option === undefined ? undefined : { kind: kindOfValue(option, 0), given: [] };
}

function kindOfValue({ values, parameters, optionalValue }: OptionSpec, index: number): ValueKind {
  return values?.[index] ?? kindOfParameter(parameters[index] ?? optionalValue ?? '');
}

function optionNamed(
  name: string,
  command: CommandDescription,
  { settings }: CommandTable,
): OptionSpec | undefined {
  const own = command.options.find(({ names }) => names.includes(name));
  if (own !== undefined || command.takesSettings !== true) return own;
  const setting = settings.find((it) => `--${it.name}` === name || `--extra-${it.name}` === name);
  if (setting === undefined || setting.kind === 'switch') return undefined;
  const values = settingValues(setting.name, { settings } as CommandTable);
  return { names: [name], parameters: ['VALUE'], values: [values], help: setting.description };
}

const nothing: Completion = { candidates: [], files: 'none', isOpen: false };

function closed(candidates: readonly Candidate[], isOpen: boolean = false): Completion {
  return { candidates, files: 'none', isOpen };
}

function undescribed(texts: readonly string[]): readonly Candidate[] {
  return texts.map((text) => ({ text, description: '' }));
}

function startingWith(word: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ text }) => text.startsWith(word));
}
