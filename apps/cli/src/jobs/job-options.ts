/**
 * The options of `neve eval-jobs`, spelled as nix-eval-jobs spells them. Those that it shares with the commands that evaluate
 * are theirs; settings are options too.
 */
import { type OptionName, optionTable } from '../option-table.ts';
import type { EvaluateArguments } from '../parse-arguments.ts';
import { Arguments, type OptionSpec, optionsByName, parseWords } from '../parse-words.ts';
import { settingTaker } from '../parse-arguments.ts';
import type { Settings } from '../settings.ts';

export const jobOptionTable = {
  expr: { names: ['--expr', '-E'], parameters: [], help: 'the argument is an expression, not a file' },
  flake: { names: ['--flake'], parameters: [], help: 'the argument is a flake (not supported yet)' },
  workers: {
    names: ['--workers'],
    parameters: ['N'],
    help: 'processes that evaluate (default: as many as processors, and as memory is there for)',
  },
  maxMemorySize: {
    names: ['--max-memory-size'],
    parameters: ['MIB'],
    help: 'memory above which a worker is replaced by a new one (default and maximum: 2750)',
  },
  forceRecurse: {
    names: ['--force-recurse'],
    parameters: [],
    help: 'look into all sets, whether they ask for it or not',
  },
  gcRootsDir: {
    names: ['--gc-roots-dir'],
    parameters: ['DIR'],
    values: ['directory'],
    help: 'make a link here to each derivation, which keeps it from being collected',
  },
  meta: { names: ['--meta'], parameters: [], help: 'print what derivations say of themselves (meta)' },
  showInputDrvs: {
    names: ['--show-input-drvs'],
    parameters: [],
    help: 'print which derivations each derivation needs',
  },
  checkCacheStatus: {
    names: ['--check-cache-status'],
    parameters: [],
    help: 'print whether the results are in the store or in a cache, and what is to be built or fetched',
  },
  constituents: {
    names: ['--constituents'],
    parameters: [],
    help: 'complete aggregates of Hydra by the jobs that they name',
  },
  noInstantiate: {
    names: ['--no-instantiate'],
    parameters: [],
    help: 'write no derivations, which is faster',
  },
  select: {
    names: ['--select'],
    parameters: ['FUNCTION'],
    help: 'apply this function to the value before looking into it',
  },
  apply: {
    names: ['--apply'],
    parameters: ['FUNCTION'],
    help: 'apply this function to each derivation, and print the set that it gives as extraValue',
  },
  overrideInput: {
    names: ['--override-input'],
    parameters: ['INPUT', 'FLAKE'],
    help: 'for flakes: another input',
  },
  referenceLockFile: {
    names: ['--reference-lock-file'],
    parameters: ['FILE'],
    help: 'for flakes: another lock file',
  },
  arg: optionTable.arg,
  argstr: optionTable.argstr,
  argFromFile: optionTable.argFromFile,
  argFromStdin: optionTable.argFromStdin,
  include: optionTable.include,
  store: optionTable.store,
  storeDir: optionTable.storeDir,
  physicalStoreDir: optionTable.physicalStoreDir,
  option: optionTable.option,
  impure: optionTable.impure,
  verbose: optionTable.verbose,
  debug: { names: ['--debug'], parameters: [], help: 'say all there is to say' },
  quiet: optionTable.quiet,
  logFormat: optionTable.logFormat,
  otlp: optionTable.otlp,
  traceFile: optionTable.traceFile,
  tracer: optionTable.tracer,
  help: optionTable.help,
  version: optionTable.version,
} as const satisfies Record<string, OptionSpec>;

export type JobOption = keyof typeof jobOptionTable;

export type JobArguments = Arguments<JobOption>;

/** Throws `UsageError`; settings are set as they are met. */
export function parseJobArguments(argv: readonly string[], settings: Settings): JobArguments {
  const options = optionsByName<JobOption>(jobOptionTable);
  return parseWords(argv, options, settingTaker([...options.keys()], settings));
}

/** Sets what `--option` names; gives the names that are no settings. */
export function setOptions(args: JobArguments, settings: Settings): readonly string[] {
  return args.occurrences.flatMap(({ option, values }) => {
    const [name = '', value = ''] = values;
    return option === 'option' && !settings.set(name, value) ? [name] : [];
  });
}

/** The part of a command line that decides how is evaluated, as the commands that evaluate have it. */
export function evaluationArguments(args: Arguments<string>): EvaluateArguments {
  const occurrences = args.occurrences.flatMap(({ option, values }) =>
    isShared(option) ? [{ option, values }] : [],
  );
  return new Arguments(occurrences, []);
}

const sharedOptions: readonly OptionName[] = [
  'arg',
  'argstr',
  'argFromFile',
  'argFromStdin',
  'include',
  'store',
  'storeDir',
  'physicalStoreDir',
  'impure',
  'verbose',
  'quiet',
  'logFormat',
];

function isShared(option: string): option is OptionName {
  return (sharedOptions as readonly string[]).includes(option);
}
