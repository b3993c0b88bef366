/** Documentation of the builtins for strings, regular expressions and versions. */
import type { BuiltinDoc } from './builtin-doc.ts';

export const stringDocs: readonly BuiltinDoc[] = [
  {
    name: 'toString',
    subject: 'strings',
    isGlobal: true,
    parameters: ['value'],
    summary: 'A value as a string, as a derivation’s environment would have it.',
    details:
      'Numbers are written out; `true` is `"1"`, `false` and `null` are empty; the items of a list are joined with blanks; a ' +
      'path is its text, without being copied to the store. A set is its `__toString self` or its `outPath`.',
    examples: [
      { expression: 'toString [ 1 true false "a" ]', value: '"1 1  a"' },
      { expression: 'toString 0.5', value: '"0.500000"' },
      { expression: 'toString { __toString = self: "v${self.version}"; version = "2"; }', value: '"v2"' },
    ],
  },
  {
    name: 'stringLength',
    subject: 'strings',
    isGlobal: false,
    parameters: ['string'],
    summary: 'How many bytes a string has. A character outside of ASCII takes several.',
    since: '0.11',
    examples: [
      { expression: 'builtins.stringLength "neve"', value: '4' },
      { expression: 'builtins.stringLength "né"', value: '3' },
    ],
  },
  {
    name: 'substring',
    subject: 'strings',
    isGlobal: false,
    parameters: ['start', 'length', 'string'],
    summary: 'At most `length` bytes of a string, from the byte number `start` on.',
    details:
      'A negative length means all that follows. What lies beyond the end is left out; a negative start is an error.',
    since: '0.11',
    examples: [
      { expression: 'builtins.substring 0 3 "nevicata"', value: '"nev"' },
      { expression: 'builtins.substring 4 (-1) "nevicata"', value: '"cata"' },
      { expression: 'builtins.substring 10 1 "neve"', value: '""' },
    ],
  },
  {
    name: 'concatStringsSep',
    subject: 'strings',
    isGlobal: false,
    parameters: ['separator', 'strings'],
    summary: 'The strings of a list with a separator between them.',
    since: '1.10',
    examples: [
      { expression: 'builtins.concatStringsSep "/" [ "usr" "local" "bin" ]', value: '"usr/local/bin"' },
    ],
  },
  {
    name: 'replaceStrings',
    subject: 'strings',
    isGlobal: false,
    parameters: ['from', 'to', 'string'],
    summary: 'Replaces every occurrence of a string of the list `from` by the one at the same place in `to`.',
    details:
      'It goes through the text once; at each place the first of `from` that fits is taken, and what was put in is not ' +
      'looked at again. Of `to` only what is used is evaluated.',
    since: '1.10',
    examples: [
      { expression: 'builtins.replaceStrings [ "a" "b" ] [ "b" "a" ] "abba"', value: '"baab"' },
      { expression: 'builtins.replaceStrings [ "" ] [ "-" ] "ab"', value: '"-a-b-"' },
    ],
  },
  {
    name: 'baseNameOf',
    subject: 'strings',
    isGlobal: true,
    parameters: ['path'],
    summary: 'What follows the last slash of a path or a string; one slash at the end does not count.',
    examples: [
      { expression: 'baseNameOf "/etc/nix/nix.conf"', value: '"nix.conf"' },
      { expression: 'baseNameOf "a/b/"', value: '"b"' },
    ],
  },
  {
    name: 'dirOf',
    subject: 'strings',
    isGlobal: true,
    parameters: ['path'],
    summary: 'What stands before the last slash, as a path if a path was given, otherwise as a string.',
    examples: [
      { expression: 'dirOf "/etc/nix/nix.conf"', value: '"/etc/nix"' },
      { expression: 'dirOf /etc/nix', value: '/etc' },
      { expression: 'dirOf "file"', value: '"."' },
    ],
  },
  {
    name: 'match',
    subject: 'regexes',
    isGlobal: false,
    parameters: ['regex', 'string'],
    summary:
      'The groups of an extended regular expression of POSIX that matches the *whole* string, or `null` if it does not.',
    details: 'A group that took no part is `null`. Without groups the list is empty.',
    examples: [
      { expression: 'builtins.match "([a-z]+)-([0-9.]+)" "neve-0.1"', value: '[ "neve" "0.1" ]' },
      { expression: 'builtins.match "a" "abc"', value: 'null' },
      { expression: 'builtins.match "(a)|(b)" "b"', value: '[ null "b" ]' },
    ],
  },
  {
    name: 'split',
    subject: 'regexes',
    isGlobal: false,
    parameters: ['regex', 'string'],
    summary:
      'Cuts a string where a regular expression matches: the pieces, and between them the list of the groups.',
    since: '2.0',
    examples: [
      { expression: 'builtins.split "," "a,b"', value: '[ "a" [ ] "b" ]' },
      { expression: 'builtins.split "([0-9])" "a1b"', value: '[ "a" [ "1" ] "b" ]' },
      {
        expression: 'builtins.filter builtins.isString (builtins.split " +" "one two  three")',
        value: '[ "one" "two" "three" ]',
      },
    ],
  },
  {
    name: 'compareVersions',
    subject: 'regexes',
    isGlobal: false,
    parameters: ['a', 'b'],
    summary:
      'Which of two versions is older: `-1` if it is the first, `1` if it is the second, `0` if they are the same.',
    details:
      'Versions are compared part by part, as `splitVersion` has them: numbers by their size, numbers after words, and `pre` ' +
      'before everything.',
    since: '0.12',
    examples: [
      { expression: 'builtins.compareVersions "1.9" "1.10"', value: '-1' },
      { expression: 'builtins.compareVersions "2.0" "2.0pre1"', value: '1' },
      { expression: 'builtins.compareVersions "1.0" "1.0"', value: '0' },
    ],
  },
  {
    name: 'splitVersion',
    subject: 'regexes',
    isGlobal: false,
    parameters: ['version'],
    summary: 'The parts of a version: runs of digits and runs of other characters; dots and dashes separate.',
    examples: [{ expression: 'builtins.splitVersion "1.2-rc3"', value: '[ "1" "2" "rc" "3" ]' }],
  },
  {
    name: 'parseDrvName',
    subject: 'regexes',
    isGlobal: false,
    parameters: ['name'],
    summary: 'A package’s name and version; the version begins after the first dash that no letter follows.',
    since: '0.12',
    examples: [
      {
        expression: 'builtins.parseDrvName "nix-tools-0.12pre3"',
        value: '{ name = "nix-tools"; version = "0.12pre3"; }',
      },
      { expression: '(builtins.parseDrvName "hello").version', value: '""' },
    ],
  },
];
