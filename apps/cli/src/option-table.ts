/**
 * Every option of the commands that evaluate, in the order of the help text. They are spelled as `nix-instantiate`,
 * `nix-build`, `nix eval` and `nix build` spell them. Settings (`settings.ts`) are options too and are not repeated here.
 */
import type { OptionSpec } from './parse-words.ts';
import { logFormatOption } from './progress/log-format-option.ts';
import { otlpOption } from './telemetry/otlp-option.ts';
import { traceFileOption, tracerOption } from './telemetry/trace-options.ts';

export type EvaluatingCommand =
  | 'eval'
  | 'instantiate'
  | 'build'
  | 'shell'
  | 'log'
  | 'why-depends'
  | 'explain'
  | 'repl';

export type EvaluateOptionSpec = OptionSpec & {
  /** The commands that have it; all, without it. */
  readonly only?: readonly EvaluatingCommand[];
};

export const optionTable = {
  attr: {
    names: ['--attr', '-A'],
    parameters: ['PATH'],
    values: ['attribute'],
    help: 'select this attribute of the value (repeatable)',
    only: ['eval', 'instantiate', 'build', 'shell', 'log', 'why-depends', 'explain'],
  },
  exprArgument: {
    names: ['--expr', '-E'],
    parameters: ['EXPR'],
    help: 'evaluate this expression',
    only: ['eval', 'build', 'shell', 'log', 'why-depends', 'explain', 'repl'],
  },
  exprFlag: {
    names: ['--expr', '-E'],
    parameters: [],
    help: 'the arguments are expressions, not files',
    only: ['instantiate'],
  },
  file: {
    names: ['--file', '-f'],
    parameters: ['FILE'],
    help: 'evaluate this file; `-` is standard input',
    only: ['eval', 'build', 'shell', 'log', 'why-depends', 'explain', 'repl'],
  },
  arg: {
    names: ['--arg'],
    parameters: ['NAME', 'EXPR'],
    values: ['formal', 'text'],
    help: 'pass an expression to a function',
  },
  argstr: {
    names: ['--argstr'],
    parameters: ['NAME', 'TEXT'],
    values: ['formal', 'text'],
    help: 'pass a string to a function',
  },
  argFromFile: {
    names: ['--arg-from-file'],
    parameters: ['NAME', 'FILE'],
    values: ['formal', 'file'],
    help: 'pass the contents of a file',
  },
  argFromStdin: {
    names: ['--arg-from-stdin'],
    parameters: ['NAME'],
    values: ['formal'],
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
    only: ['instantiate'],
  },
  parse: {
    names: ['--parse'],
    parameters: [],
    help: 'only parse, and print what was parsed',
    only: ['eval', 'instantiate'],
  },
  findFile: {
    names: ['--find-file'],
    parameters: [],
    help: 'print where <ARGUMENT> is found',
    only: ['eval', 'instantiate'],
  },
  strict: {
    names: ['--strict'],
    parameters: [],
    help: 'evaluate everything inside the value',
    only: ['eval', 'instantiate'],
  },
  json: {
    names: ['--json'],
    parameters: [],
    help: 'print as JSON',
    only: ['eval', 'instantiate', 'build', 'log', 'why-depends', 'explain'],
  },
  command: {
    names: ['--command', '-c'],
    parameters: ['PROGRAM'],
    takesRest: true,
    help: 'run this program, with all words that follow as its arguments, in place of a shell',
    only: ['shell'],
  },
  ignoreEnvironment: {
    names: ['--ignore-environment', '-i'],
    parameters: [],
    help: 'begin with an empty environment',
    only: ['shell'],
  },
  keepVariable: {
    names: ['--keep-env-var', '-k'],
    parameters: ['NAME'],
    help: 'keep this variable all the same (repeatable)',
    only: ['shell'],
  },
  unsetVariable: {
    names: ['--unset-env-var', '-u'],
    parameters: ['NAME'],
    help: 'leave this variable out (repeatable)',
    only: ['shell'],
  },
  outLink: {
    names: ['--out-link', '-o'],
    parameters: ['PATH'],
    values: ['file'],
    help: 'make this link to the result (default: result)',
    only: ['build'],
  },
  noLink: { names: ['--no-link', '--no-out-link'], parameters: [], help: 'make no link', only: ['build'] },
  printOutPaths: {
    names: ['--print-out-paths'],
    parameters: [],
    help: 'print the store paths of the results (the default, unless JSON is printed)',
    only: ['build'],
  },
  check: {
    names: ['--check', '--rebuild'],
    parameters: [],
    help: 'build again what is there, and compare',
    only: ['build'],
  },
  dryRun: {
    names: ['--dry-run'],
    parameters: [],
    help: 'say what would be built and fetched',
    only: ['build'],
  },
  printBuildLogs: {
    names: ['--print-build-logs', '-L'],
    parameters: [],
    help: 'print the logs of builds, each line with the name of its derivation',
    only: ['build', 'shell', 'repl'],
  },
  keepGoing: {
    names: ['-k'],
    parameters: [],
    help: 'as --keep-going',
    only: ['build', 'repl'],
  },
  keepFailed: { names: ['-K'], parameters: [], help: 'as --keep-failed', only: ['build', 'shell', 'repl'] },
  maxJobs: { names: ['-j'], parameters: ['N'], help: 'as --max-jobs', only: ['build', 'shell', 'repl'] },
  builder: {
    names: ['--builder'],
    parameters: ['URL'],
    values: [['local:', 'bwrap:', 'oci:', 'unshare:', 'dummy:']],
    help: 'where builds run: local: (the default), bwrap:, oci:, unshare:, dummy:, grpc+unix:…',
    only: ['build', 'shell', 'repl'],
  },
  store: {
    names: ['--store'],
    parameters: ['STORE'],
    help: "a folder or another store (default: the user's)",
  },

  xml: { names: ['--xml'], parameters: [], help: 'print as XML', only: ['eval', 'instantiate'] },
  raw: {
    names: ['--raw'],
    parameters: [],
    help: 'print a string as it is, without a line end',
    only: ['eval', 'instantiate'],
  },
  noLocation: {
    names: ['--no-location'],
    parameters: [],
    help: 'leave source positions out of XML',
    only: ['eval', 'instantiate'],
  },
  watch: {
    names: ['--watch'],
    parameters: [],
    help: 'evaluate again whenever something that was read changes, and print what changed in the result',
    only: ['eval'],
  },
  readWriteMode: {
    names: ['--read-write-mode'],
    parameters: [],
    help: 'write to the store while evaluating',
    only: ['eval', 'instantiate'],
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
  daemon: {
    names: ['--daemon'],
    parameters: [],
    optionalValue: 'ADDRESS',
    help: 'have it run by the daemon (default: the one of the user)',
    only: ['eval', 'instantiate', 'build', 'log', 'why-depends', 'explain'],
  },
  noDaemon: {
    names: ['--no-daemon'],
    parameters: [],
    help: 'run it here, whatever NEVE_DAEMON says',
    only: ['eval', 'instantiate', 'build', 'log', 'why-depends', 'explain'],
  },
  option: {
    names: ['--option'],
    parameters: ['NAME', 'VALUE'],
    values: ['setting', 'setting-value'],
    help: 'set a setting',
  },
  impure: { names: ['--impure'], parameters: [], help: 'allow access to the environment (the default)' },
  otlp: otlpOption,
  traceFile: traceFileOption,
  tracer: tracerOption,
  verbose: { names: ['-v', '--verbose'], parameters: [], help: 'say more (repeatable)' },
  quiet: { names: ['--quiet'], parameters: [], help: 'say less' },
  logFormat: logFormatOption,
  help: { names: ['--help', '-h'], parameters: [], help: 'show this help' },
  version: { names: ['--version'], parameters: [], help: 'show the version' },
} as const satisfies Record<string, EvaluateOptionSpec>;

export type OptionName = keyof typeof optionTable;
