// What is measured: start-up, small and large evaluations of two nixpkgs, one builtin or one
// language feature at a time, and the parser alone.
//
// A case that needs a nixpkgs names which; it is left out, saying so, where none is given.

import { join } from 'node:path';

/** @typedef {"18-03" | "26-11"} Release */

/**
 * @typedef {object} BenchCase
 * @property {string} name
 * @property {Release | undefined} nixpkgs
 * @property {boolean} [version] measures `--version` rather than an evaluation
 * @property {(trees: { bench: string, nixpkgs: string }) => readonly string[]} arguments for nix-instantiate
 */

/** Files that measure one thing each and need no nixpkgs. */
const microNames = [
  'fib',
  'foldl-sum',
  'attrupdate',
  'mapattrs',
  'listtoattrs',
  'fixpoint',
  'deepseq',
  'genericclosure',
  'genericclosure-str',
  'lists',
  'sort',
  'sort-lt',
  'strings',
  'substring',
  'regex',
  'json',
  'hash',
];

/** @type {readonly BenchCase[]} */
export const benchCases = [
  { name: '--version', nixpkgs: undefined, version: true, arguments: () => ['--version'] },
  { name: '1+1', nixpkgs: undefined, arguments: () => ['--eval', '-E', '1+1'] },
  fileCase('hello', 'hello.nix', '18-03'),
  fileCase('firefox', 'firefox.nix', '18-03'),
  fileCase('nixos', 'nixos.nix', '18-03'),
  fileCase('sweep', 'sweep.nix', '18-03'),
  parseCase('18-03'),
  fileCase('hello-26', 'hello.nix', '26-11'),
  {
    name: 'nixos-26',
    nixpkgs: '26-11',
    // The file is a function of the configuration, which has a default.
    arguments: ({ bench, nixpkgs }) => [
      '--eval',
      '-I',
      `nixpkgs=${nixpkgs}`,
      '-E',
      `import ${join(bench, 'nixos26.nix')} { }`,
    ],
  },
  parseCase('26-11'),
  ...microNames.map((name) => fileCase(name, `${name}.nix`, undefined)),
];

/**
 * @param {string} name
 * @param {string} file
 * @param {Release | undefined} nixpkgs
 * @returns {BenchCase}
 */
function fileCase(name, file, nixpkgs) {
  return {
    name,
    nixpkgs,
    arguments: (trees) => [
      '--eval',
      '--strict',
      ...(nixpkgs === undefined ? [] : ['-I', `nixpkgs=${trees.nixpkgs}`]),
      join(trees.bench, file),
    ],
  };
}

/**
 * @param {Release} nixpkgs
 * @returns {BenchCase}
 */
function parseCase(nixpkgs) {
  return {
    name: nixpkgs === '18-03' ? 'parse' : 'parse-26',
    nixpkgs,
    arguments: (trees) => ['--parse', join(trees.nixpkgs, 'pkgs/top-level/all-packages.nix')],
  };
}
