import { describe, expect, test } from 'vitest';
import { type CommandName, parseArguments } from './parse-arguments.ts';
import { describeEvaluating } from './evaluating-commands.ts';
import { helpText } from './help.ts';
import { parseSearchPath } from './search-path.ts';
import { Settings, applyConfig } from './settings.ts';
import { UsageError } from './usage-error.ts';

function parse(line: string, command: CommandName = 'eval') {
  const settings = new Settings();
  const args = parseArguments(line === '' ? [] : line.split(' '), { command, settings });
  return { args, settings };
}

test('options with none, one and two arguments, among other arguments', () => {
  const { args } = parse('a --strict --arg x 1 b -A p --attr q - --argstr y z');
  expect(args.positional).toEqual(['a', 'b', '-']);
  expect(args.occurrences).toEqual([
    { option: 'strict', values: [] },
    { option: 'arg', values: ['x', '1'] },
    { option: 'attr', values: ['p'] },
    { option: 'attr', values: ['q'] },
    { option: 'argstr', values: ['y', 'z'] },
  ]);
});

test('values in the same word', () => {
  const { args } = parse('--expr=a=b -Inixpkgs=/x -I y');
  expect(args.last('exprArgument')).toBe('a=b');
  expect(args.all('include')).toEqual(['nixpkgs=/x', 'y']);
});

test('an argument that looks like an option, after --', () => {
  expect(parse('x -- --strict -A').args.positional).toEqual(['x', '--strict', '-A']);
});

test('--command takes all that follows, whatever it looks like', () => {
  const { args } = parse('-f x a --command ls -A -- --strict', 'shell');
  expect(args.positional).toEqual(['a']);
  expect(args.occurrences.at(-1)).toEqual({ option: 'command', values: ['ls', '-A', '--', '--strict'] });
  expect(() => parse('a -c', 'shell')).toThrow("flag '-c' requires an argument (PROGRAM)");
});

test('-E takes an expression for eval, and says what arguments are for instantiate', () => {
  expect(parse('-E 1').args.last('exprArgument')).toBe('1');
  expect(parse('-E 1', 'instantiate').args.positional).toEqual(['1']);
});

test('settings', () => {
  const { settings } = parse(
    '--show-trace=true --pure-eval --no-pure-eval --max-call-depth 7 --max-heap-size 512M --extra-experimental-features flakes --extra-experimental-features pipe-operators',
  );
  expect(settings.isOn('show-trace')).toBe(true);
  expect(settings.isOn('pure-eval')).toBe(false);
  expect(settings.number('max-call-depth')).toBe(7);
  expect(settings.size('max-heap-size')).toBe(512 * 1024 * 1024);
  expect(settings.list('experimental-features')).toEqual(['flakes', 'pipe-operators']);
});

test('a configuration', () => {
  const settings = new Settings();
  const unknown = applyConfig(settings, 'pure-eval = true # yes\n\ncolour = 4\nsystem = a b\n');
  expect(unknown).toEqual(['colour']);
  expect(settings.isOn('pure-eval')).toBe(true);
  expect(settings.text('system')).toBe('a b');
});

describe('refuses', () => {
  test.each([
    '--foo',
    '-x',
    '--arg x',
    '-A',
    '--max-call-depth x',
    '--pure-eval=maybe',
    '--no-max-call-depth',
    '--max-heap-size 12X',
    '--eval',
    '--strict=yes',
    '--no-pure-eval=true',
  ])('%s', (line) => {
    expect(() => parse(line)).toThrow(UsageError);
  });
});

test('the help names every option of the command', () => {
  expect(helpOf('eval')).toContain('--expr, -E EXPR');
  expect(helpOf('eval')).not.toContain('--eval-only ');
  expect(helpOf('instantiate')).toContain('--eval, --eval-only ');
});

test.each([
  ['', []],
  ['/a', [['', '/a']]],
  [
    'a=/b:/c::d=e=f',
    [
      ['a', '/b'],
      ['', '/c'],
      ['d', 'e=f'],
    ],
  ],
  [
    'n=https://x.org/y.tar.gz:/z',
    [
      ['n', 'https://x.org/y.tar.gz'],
      ['', '/z'],
    ],
  ],
  [
    'flake:nixpkgs:n=flake:x',
    [
      ['', 'flake:nixpkgs'],
      ['n', 'flake:x'],
    ],
  ],
])('the search path %j', (text, expected) => {
  expect(parseSearchPath(text)).toEqual(expected.map(([prefix, path]) => ({ prefix, path })));
});

function helpOf(command: 'eval' | 'instantiate'): string {
  return helpText(describeEvaluating(command));
}
