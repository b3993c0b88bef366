/** The options of the commands that list packages. Settings are options too. */
import { optionTable } from '../option-table.ts';
import { settingTaker } from '../parse-arguments.ts';
import { type Arguments, type OptionSpec, optionsByName, parseWords } from '../parse-words.ts';
import type { Settings } from '../settings.ts';

const sharedOptions = {
  file: {
    names: ['--file', '-f'],
    parameters: ['FILE'],
    help: 'list the packages of this file (default: <nixpkgs>); `-` is standard input',
  },
  arg: optionTable.arg,
  argstr: optionTable.argstr,
  argFromFile: optionTable.argFromFile,
  argFromStdin: optionTable.argFromStdin,
  include: optionTable.include,
  storeDir: optionTable.storeDir,
  option: optionTable.option,
  impure: optionTable.impure,
  verbose: optionTable.verbose,
  quiet: optionTable.quiet,
  logFormat: optionTable.logFormat,
  help: optionTable.help,
  version: optionTable.version,
} as const satisfies Record<string, OptionSpec>;

export const searchOptionTable = {
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  exclude: {
    names: ['--exclude', '-e'],
    parameters: ['REGEX'],
    values: ['text'],
    help: 'hide packages whose path, name or description match (repeatable)',
  },
  ...sharedOptions,
} as const satisfies Record<string, OptionSpec>;

export const envOptionTable = {
  query: { names: ['--query', '-q'], parameters: [], help: 'list packages' },
  available: { names: ['--available', '-a'], parameters: [], help: 'those that there are in the file' },
  attrPath: { names: ['--attr-path', '-P'], parameters: [], help: 'print attribute paths' },
  attr: { ...optionTable.attr, help: 'only packages in this attribute' },
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  noName: { names: ['--no-name'], parameters: [], help: 'do not print names' },
  system: { names: ['--system'], parameters: [], help: 'print systems' },
  drvPath: { names: ['--drv-path'], parameters: [], help: 'print the paths of derivations' },
  outPath: { names: ['--out-path'], parameters: [], help: 'print the paths of outputs' },
  description: { names: ['--description'], parameters: [], help: 'print descriptions' },
  meta: { names: ['--meta'], parameters: [], help: 'print all that packages say of themselves, with --json' },
  systemFilter: {
    names: ['--system-filter'],
    parameters: ['SYSTEM'],
    help: 'only packages of this system',
  },
  installed: { names: ['--installed'], parameters: [], help: 'those of a profile (not supported yet)' },
  ...sharedOptions,
} as const satisfies Record<string, OptionSpec>;

/** Throws `UsageError`; settings are set as they are met. */
export function parseListing<Name extends string>(
  argv: readonly string[],
  table: Readonly<Record<Name, OptionSpec>>,
  settings: Settings,
): Arguments<Name> {
  const options = optionsByName<Name>(table);
  const words = argv.flatMap((word) => (isCluster(word, options) ? split(word) : [word]));
  return parseWords(words, options, settingTaker([...options.keys()], settings));
}

/** `-qaP` is `-q -a -P`. */
function isCluster(word: string, options: ReadonlyMap<string, { readonly spec: OptionSpec }>): boolean {
  return (
    /^-[a-zA-Z]{2,}$/.test(word) && split(word).every((it) => options.get(it)?.spec.parameters.length === 0)
  );
}

function split(word: string): readonly string[] {
  return Array.from(word.slice(1), (letter) => `-${letter}`);
}
