/** Documentation of the builtins for lists. */
import type { BuiltinDoc } from './builtin-doc.ts';

export const listDocs: readonly BuiltinDoc[] = [
  {
    name: 'length',
    subject: 'lists',
    isGlobal: false,
    parameters: ['list'],
    summary: 'How many items a list has; none of them is evaluated.',
    since: '0.12',
    examples: [{ expression: 'builtins.length [ 1 (throw "unseen") 3 ]', value: '3' }],
  },
  {
    name: 'head',
    subject: 'lists',
    isGlobal: false,
    parameters: ['list'],
    summary: 'The first item of a list; an error if there is none.',
    examples: [
      { expression: 'builtins.head [ "a" "b" ]', value: '"a"' },
      { expression: 'builtins.head [ ]', error: 'empty list' },
    ],
  },
  {
    name: 'tail',
    subject: 'lists',
    isGlobal: false,
    parameters: ['list'],
    summary: 'A list without its first item.',
    details:
      'The rest is copied, so that a loop over tails takes time in the square of the length: fold instead.',
    examples: [{ expression: 'builtins.tail [ 1 2 3 ]', value: '[ 2 3 ]' }],
  },
  {
    name: 'elemAt',
    subject: 'lists',
    isGlobal: false,
    parameters: ['list', 'index'],
    summary: 'The item at an index; the first has the index 0.',
    since: '1.2',
    examples: [
      { expression: 'builtins.elemAt [ "a" "b" "c" ] 1', value: '"b"' },
      { expression: 'builtins.elemAt [ "a" ] 1', error: 'called with index 1 on a list of size 1' },
    ],
  },
  {
    name: 'elem',
    subject: 'lists',
    isGlobal: false,
    parameters: ['item', 'list'],
    summary: 'Whether some item of a list equals a value.',
    since: '1.2',
    examples: [{ expression: 'builtins.elem 2 [ 1 2 3 ]', value: 'true' }],
  },
  {
    name: 'map',
    subject: 'lists',
    isGlobal: true,
    parameters: ['function', 'list'],
    summary: 'The results of a function for each item, each computed when it is wanted.',
    since: '0.6',
    examples: [
      { expression: 'map (n: n * n) [ 1 2 3 ]', value: '[ 1 4 9 ]' },
      { expression: 'builtins.length (map throw [ "a" "b" ])', value: '2' },
    ],
  },
  {
    name: 'filter',
    subject: 'lists',
    isGlobal: false,
    parameters: ['predicate', 'list'],
    summary: 'The items for which a function is true, in their order.',
    since: '1.2',
    examples: [{ expression: 'builtins.filter (n: n > 1) [ 3 1 2 ]', value: '[ 3 2 ]' }],
  },
  {
    name: "foldl'",
    subject: 'lists',
    isGlobal: false,
    parameters: ['operation', 'start', 'list'],
    summary:
      'Goes through a list from the left and carries a result along: `operation (operation start a) b`, and so on.',
    details: 'Each result is evaluated before the next step, so that long lists need no deep stack.',
    since: '1.10',
    examples: [
      { expression: "builtins.foldl' (sum: n: sum + n) 0 [ 1 2 3 ]", value: '6' },
      { expression: 'builtins.foldl\' (text: n: "${text}${toString n}") "" [ 1 2 3 ]', value: '"123"' },
    ],
  },
  {
    name: 'all',
    subject: 'lists',
    isGlobal: false,
    parameters: ['predicate', 'list'],
    summary: 'Whether a function is true for every item; of an empty list that holds.',
    since: '1.10',
    examples: [{ expression: 'builtins.all (n: n > 0) [ 1 2 3 ]', value: 'true' }],
  },
  {
    name: 'any',
    subject: 'lists',
    isGlobal: false,
    parameters: ['predicate', 'list'],
    summary: 'Whether a function is true for some item; it looks no further than that.',
    since: '1.10',
    examples: [{ expression: 'builtins.any (n: n > 1) [ 1 2 (throw "unseen") ]', value: 'true' }],
  },
  {
    name: 'concatLists',
    subject: 'lists',
    isGlobal: false,
    parameters: ['lists'],
    summary: 'The items of several lists as one list.',
    since: '1.2',
    examples: [{ expression: 'builtins.concatLists [ [ 1 ] [ ] [ 2 3 ] ]', value: '[ 1 2 3 ]' }],
  },
  {
    name: 'concatMap',
    subject: 'lists',
    isGlobal: false,
    parameters: ['function', 'list'],
    summary: 'Calls a function that gives lists for each item, and joins what comes of it.',
    since: '2.1',
    examples: [{ expression: 'builtins.concatMap (n: [ n (n * 10) ]) [ 1 2 ]', value: '[ 1 10 2 20 ]' }],
  },
  {
    name: 'genList',
    subject: 'lists',
    isGlobal: false,
    parameters: ['function', 'length'],
    summary: 'A list of a given length whose items are what a function gives for 0, 1, 2 and so on.',
    since: '1.10',
    examples: [{ expression: 'builtins.genList (n: n * n) 5', value: '[ 0 1 4 9 16 ]' }],
  },
  {
    name: 'sort',
    subject: 'lists',
    isGlobal: false,
    parameters: ['lessThan', 'list'],
    summary:
      'A list in the order that a function tells, which is true when its first argument comes before its second.',
    details: 'The sort is stable: items of which none comes before the other keep their order.',
    since: '1.10',
    examples: [
      { expression: 'builtins.sort (a: b: a > b) [ 1 3 2 ]', value: '[ 3 2 1 ]' },
      {
        expression:
          'map (x: x.n) (builtins.sort (a: b: a.k < b.k) [ { k = 2; n = "b"; } { k = 1; n = "a"; } ])',
        value: '[ "a" "b" ]',
      },
    ],
  },
  {
    name: 'partition',
    subject: 'lists',
    isGlobal: false,
    parameters: ['predicate', 'list'],
    summary: 'Divides a list: in `right` the items for which a function is true, in `wrong` the others.',
    since: '2.0',
    examples: [
      {
        expression: 'builtins.partition (n: n > 2) [ 1 5 2 4 ]',
        value: '{ right = [ 5 4 ]; wrong = [ 1 2 ]; }',
      },
    ],
  },
  {
    name: 'groupBy',
    subject: 'lists',
    isGlobal: false,
    parameters: ['function', 'list'],
    summary: 'Divides a list into a set of lists: a function tells each item’s attribute name.',
    since: '2.5',
    examples: [
      {
        expression: 'builtins.groupBy (builtins.substring 0 1) [ "neve" "nix" "snow" ]',
        value: '{ n = [ "neve" "nix" ]; s = [ "snow" ]; }',
      },
    ],
  },
  {
    name: 'genericClosure',
    subject: 'lists',
    isGlobal: false,
    parameters: ['arguments'],
    summary:
      'Everything that can be reached: starts with the sets in `startSet`, calls `operator` for each, and goes on with the ' +
      'sets that it gives, until there are no new ones.',
    details: 'Each set has an attribute `key`, by which it is known whether it was there before.',
    examples: [
      {
        expression:
          'map (x: x.key) (builtins.genericClosure { startSet = [ { key = 12; } ]; operator = x: if x.key > 1 then [ { key = x.key / 2; } ] else [ ]; })',
        value: '[ 12 6 3 1 ]',
      },
    ],
  },
];
