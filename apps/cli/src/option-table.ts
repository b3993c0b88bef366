/**
 * Every option of `neve eval` and `neve instantiate`, in the order of the help text. They are spelled as
 * `nix-instantiate` and `nix eval` spell them. Settings (`settings.ts`) are options too and are not repeated here.
 */
import type { OptionSpec } from './parse-words.ts';

export type EvaluateOptionSpec = OptionSpec & {
  /** The command that has it; both, without it. */
  readonly only?: 'eval' | 'instantiate';
};

export const optionTable = {
  attr: {
    names: ['--attr', '-A'],
    parameters: ['PATH'],
    help: 'select this attribute of the value (repeatable)',
  },
  exprArgument: {
    names: ['--expr', '-E'],
    parameters: ['EXPR'],
    help: 'evaluate this expression',
    only: 'eval',
  },
  exprFlag: {
    names: ['--expr', '-E'],
    parameters: [],
    help: 'the arguments are expressions, not files',
    only: 'instantiate',
  },
  file: {
    names: ['--file', '-f'],
    parameters: ['FILE'],
    help: 'evaluate this file; `-` is standard input',
    only: 'eval',
  },
  arg: { names: ['--arg'], parameters: ['NAME', 'EXPR'], help: 'pass an expression to a function' },
  argstr: { names: ['--argstr'], parameters: ['NAME', 'TEXT'], help: 'pass a string to a function' },
  argFromFile: {
    names: ['--arg-from-file'],
    parameters: ['NAME', 'FILE'],
    help: 'pass the contents of a file',
  },
  argFromStdin: {
    names: ['--arg-from-stdin'],
    parameters: ['NAME'],
    help: 'pass the contents of standard input',
  },
  include: {
    names: ['-I', '--include'],
    parameters: ['[NAME=]PATH'],
    help: 'look for <NAME/…> here first (repeatable)',
  },
  eval: {
    names: ['--eval', '--eval-only'],
    parameters: [],
    help: 'print values instead of writing derivations',
    only: 'instantiate',
  },
  parse: { names: ['--parse'], parameters: [], help: 'only parse, and print what was parsed' },
  findFile: { names: ['--find-file'], parameters: [], help: 'print where <ARGUMENT> is found' },
  strict: { names: ['--strict'], parameters: [], help: 'evaluate everything inside the value' },
  json: { names: ['--json'], parameters: [], help: 'print as JSON' },
  xml: { names: ['--xml'], parameters: [], help: 'print as XML' },
  raw: { names: ['--raw'], parameters: [], help: 'print a string as it is, without a line end' },
  noLocation: { names: ['--no-location'], parameters: [], help: 'leave source positions out of XML' },
  readWriteMode: {
    names: ['--read-write-mode'],
    parameters: [],
    help: 'write to the store while evaluating',
  },
  storeDir: {
    names: ['--store-dir'],
    parameters: ['DIR'],
    help: 'the store directory (default: /nix/store)',
  },
  physicalStoreDir: {
    names: ['--physical-store-dir'],
    parameters: ['DIR'],
    help: 'where the files of the store are, when not in the store directory',
  },
  option: { names: ['--option'], parameters: ['NAME', 'VALUE'], help: 'set a setting' },
  impure: { names: ['--impure'], parameters: [], help: 'allow access to the environment (the default)' },
  verbose: { names: ['-v', '--verbose'], parameters: [], help: 'say more (repeatable)' },
  quiet: { names: ['--quiet'], parameters: [], help: 'say less' },
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
  version: { names: ['--version'], parameters: [], help: 'show the version' },
} as const satisfies Record<string, EvaluateOptionSpec>;

export type OptionName = keyof typeof optionTable;
