import { describe, expect, test } from 'vitest';
import type { CommandTable } from '../command-description.ts';
import { type CompletionSources, completeWords } from './complete-words.ts';

const help = { names: ['--help', '-h'], parameters: [], help: 'show this help' };

const table: CommandTable = {
  version: '1',
  date: '2026-01-31',
  root: {
    name: 'neve',
    summary: 'Nix',
    usage: [],
    description: '',
    options: [help],
    commands: [
      {
        name: 'build',
        summary: 'build it',
        usage: [],
        description: '',
        takesSettings: true,
        options: [
          { names: ['--file', '-f'], parameters: ['FILE'], help: 'a file' },
          { names: ['--attr', '-A'], parameters: ['PATH'], values: ['attribute'], help: 'select' },
          { names: ['--arg'], parameters: ['NAME', 'EXPR'], values: ['formal', 'text'], help: 'pass' },
          { names: ['--daemon'], parameters: [], optionalValue: 'ADDRESS', help: 'by the daemon' },
          help,
        ],
      },
      {
        name: 'store',
        summary: 'stores',
        usage: [],
        description: '',
        isGroup: true,
        options: [help],
        commands: [
          {
            name: 'root',
            summary: 'roots',
            usage: [],
            description: '',
            arguments: [['add', 'remove'], 'text', 'store-path'],
            options: [
              { names: ['--color'], parameters: ['WHEN'], values: [['always', 'never']], help: 'when' },
              help,
            ],
          },
        ],
      },
    ],
  },
  settings: [
    { name: 'cores', kind: 'number', default: '0', description: 'Processors.' },
    { name: 'fallback', kind: 'switch', default: 'false', description: 'Build.' },
    { name: 'substituters', kind: 'list', default: '', description: 'Caches.' },
  ],
};

/** They tell what they were asked. */
const sources: CompletionSources = {
  attributes: async (words, prefix) => [`attributes of ${words.join(' ')}: ${prefix}`],
  formals: async () => ['system'],
  storePaths: async (_words, prefix) => [`path ${prefix}`],
};

async function texts(...words: string[]): Promise<readonly string[]> {
  return (await completeWords(words, { table, sources })).candidates.map(({ text }) => text);
}

async function filesOf(...words: string[]): Promise<string> {
  return (await completeWords(words, { table, sources })).files;
}

describe('the word at the end of a command line', () => {
  const cases: readonly (readonly [words: readonly string[], candidates: readonly string[]])[] = [
    [[''], ['build', 'store']],
    [['st'], ['store']],
    [['--h'], ['--help']],
    [['store', ''], ['root']],
    [
      ['store', 'root', ''],
      ['add', 'remove'],
    ],
    [['store', 'root', 'add', 'name', 'x'], ['path x']],
    [
      ['store', 'root', '--color', ''],
      ['always', 'never'],
    ],
    [['store', 'root', '--color=n'], ['--color=never']],
    [['store', 'root', '--color', 'never', 'r'], ['remove']],
    [
      ['build', '--f'],
      ['--file', '--fallback'],
    ],
    [
      ['build', '--da'],
      ['--daemon', '--daemon='],
    ],
    [['build', '--no-'], ['--no-fallback']],
    [['build', '--extra-'], ['--extra-substituters']],
    [['build', '--fallback', '-A', 'x'], ['attributes of build --fallback -A: x']],
    [['build', '--cores', '4', '-A', 'x'], ['attributes of build --cores 4 -A: x']],
    [['build', '-f', 'a.nix', 'x'], ['attributes of build -f a.nix: x']],
    [['build', '--file=a.nix', 'x'], ['attributes of build --file=a.nix: x']],
    [['build', '--arg', 's'], ['system']],
    [['build', '--arg', 'system', 's'], []],
    [['build', '--', '--f'], []],
    [['store', 'nothing', ''], []],
  ];
  for (const [words, candidates] of cases) {
    test(words.join(' '), async () => expect(await texts(...words)).toEqual(candidates));
  }

  test('files are left to the shell', async () => {
    expect(await filesOf('build', '')).toBe('files');
    expect(await filesOf('build', '-f', '')).toBe('files');
    expect(await filesOf('build', '--file=x')).toBe('files');
    expect(await filesOf('build', '--', '')).toBe('files');
    expect(await filesOf('build', '-f', 'a.nix', '')).toBe('none');
  });
});
