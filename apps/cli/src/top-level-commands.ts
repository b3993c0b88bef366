/** The commands of `neve` with their summaries, in the order of the help text. */
import type { OptionSpec } from './parse-words.ts';

export const summaries = {
  eval: 'evaluate a Nix expression and print its value',
  repl: 'evaluate expressions at a prompt',
  instantiate: 'evaluate to derivations and write them to the store',
  'eval-jobs': 'evaluate all derivations of a set, in several processes, to lines of JSON',
  search: 'search for packages by regular expressions',
  env: 'list the packages of a file, as nix-env -qa does',
  build: 'build what an expression evaluates to',
  shell: 'run a shell, or a program, that finds packages in its PATH',
  explain: 'say why, and how, something would be built',
  log: 'print the log of a build',
  'why-depends': 'say why one store path needs another',
  store: 'import, export, copy, check and serve what is in a store',
  image: 'show, explain and clear what is kept of evaluations',
  'nix-daemon': 'serve the store, and builds in it, to clients of Nix',
  'nar-bridge': 'serve a store as a binary cache over HTTP, read and write',
  cache: 'push to binary caches, pull from them, and serve several with tokens',
  daemon: 'run commands for many clients, in one process that owns the store',
  completion: 'print a script that completes commands in a shell',
  help: 'show the options of a command, or its manual page',
} as const;

export type TopLevelName = keyof typeof summaries;

export const topLevelNames: readonly string[] = Object.keys(summaries);

export const rootOptions: readonly OptionSpec[] = [
  { names: ['--version'], parameters: [], help: 'show the version' },
  { names: ['--help', '-h'], parameters: [], help: 'show the commands' },
];
