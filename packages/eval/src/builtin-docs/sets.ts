/** Documentation of the builtins for attribute sets. */
import type { BuiltinDoc } from './builtin-doc.ts';

export const setDocs: readonly BuiltinDoc[] = [
  {
    name: 'attrNames',
    subject: 'sets',
    isGlobal: false,
    parameters: ['set'],
    summary: 'The names of a set, sorted by their bytes.',
    since: '0.11',
    examples: [{ expression: 'builtins.attrNames { b = 1; a = 2; B = 3; }', value: '[ "B" "a" "b" ]' }],
  },
  {
    name: 'attrValues',
    subject: 'sets',
    isGlobal: false,
    parameters: ['set'],
    summary: 'The values of a set, in the order of their names.',
    since: '1.8',
    examples: [{ expression: 'builtins.attrValues { b = 1; a = 2; }', value: '[ 2 1 ]' }],
  },
  {
    name: 'getAttr',
    subject: 'sets',
    isGlobal: false,
    parameters: ['name', 'set'],
    summary: 'The attribute of a name that is computed: `set.${name}` as a function.',
    examples: [
      { expression: 'builtins.getAttr "a" { a = 1; }', value: '1' },
      { expression: 'map (builtins.getAttr "n") [ { n = 1; } { n = 2; } ]', value: '[ 1 2 ]' },
    ],
  },
  {
    name: 'hasAttr',
    subject: 'sets',
    isGlobal: false,
    parameters: ['name', 'set'],
    summary: 'Whether a set has an attribute: `set ? ${name}` as a function.',
    examples: [
      { expression: 'builtins.filter (n: builtins.hasAttr n { a = 1; }) [ "a" "b" ]', value: '[ "a" ]' },
    ],
  },
  {
    name: 'removeAttrs',
    subject: 'sets',
    isGlobal: true,
    parameters: ['set', 'names'],
    summary: 'A set without some of its attributes; names that it does not have do not matter.',
    examples: [{ expression: 'removeAttrs { a = 1; b = 2; c = 3; } [ "a" "c" "x" ]', value: '{ b = 2; }' }],
  },
  {
    name: 'intersectAttrs',
    subject: 'sets',
    isGlobal: false,
    parameters: ['names', 'set'],
    summary: 'The attributes of the second set whose names the first has as well.',
    details: 'With `functionArgs` it picks what a function wants.',
    since: '0.13',
    examples: [
      { expression: 'builtins.intersectAttrs { a = 1; b = 2; } { b = 3; c = 4; }', value: '{ b = 3; }' },
      {
        expression:
          'let f = { a, b }: a + b; in f (builtins.intersectAttrs (builtins.functionArgs f) { a = 1; b = 2; c = 3; })',
        value: '3',
      },
    ],
  },
  {
    name: 'listToAttrs',
    subject: 'sets',
    isGlobal: false,
    parameters: ['list'],
    summary: 'A set from a list of sets with `name` and `value`. Of several with one name the first counts.',
    since: '0.11',
    examples: [
      {
        expression: 'builtins.listToAttrs (map (name: { inherit name; value = "${name}!"; }) [ "a" "b" ])',
        value: '{ a = "a!"; b = "b!"; }',
      },
    ],
  },
  {
    name: 'catAttrs',
    subject: 'sets',
    isGlobal: false,
    parameters: ['name', 'sets'],
    summary: 'The values of one attribute from a list of sets; sets without it are skipped.',
    examples: [
      { expression: 'builtins.catAttrs "a" [ { a = 1; } { b = 2; } { a = 3; } ]', value: '[ 1 3 ]' },
    ],
  },
  {
    name: 'mapAttrs',
    subject: 'sets',
    isGlobal: false,
    parameters: ['function', 'set'],
    summary:
      'A set of the same names, whose values are what a function makes of each name and value when it is wanted.',
    since: '2.1',
    examples: [
      {
        expression: 'builtins.mapAttrs (name: value: "${name}=${toString value}") { a = 1; b = 2; }',
        value: '{ a = "a=1"; b = "b=2"; }',
      },
    ],
  },
  {
    name: 'zipAttrsWith',
    subject: 'sets',
    isGlobal: false,
    parameters: ['function', 'sets'],
    summary: 'Merges a list of sets: a function gets each name and the list of the values that it has.',
    since: '2.6',
    examples: [
      {
        expression: 'builtins.zipAttrsWith (name: values: values) [ { a = 1; b = 2; } { a = 3; } ]',
        value: '{ a = [ 1 3 ]; b = [ 2 ]; }',
      },
      {
        expression: "builtins.zipAttrsWith (name: builtins.foldl' builtins.add 0) [ { a = 1; } { a = 2; } ]",
        value: '{ a = 3; }',
      },
    ],
  },
  {
    name: 'unsafeGetAttrPos',
    subject: 'sets',
    isGlobal: false,
    parameters: ['name', 'set'],
    summary:
      'Where an attribute was defined: a set of `file`, `line` and `column`, or `null` where that is not known.',
    details: 'Unsafe since equal sets can have different positions: use it in messages only.',
    since: '1.7',
    examples: [
      {
        expression: '(builtins.unsafeGetAttrPos "answer" (import ./answers.nix)).line',
        value: '3',
        files: { 'answers.nix': '{\n  # The usual one.\n  answer = 42;\n}\n' },
      },
      { expression: 'builtins.unsafeGetAttrPos "b" { a = 1; }', value: 'null' },
    ],
  },
];
