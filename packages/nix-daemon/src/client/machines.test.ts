// What is read and refused is that of Nix 2.34.8 (`libstore/machines.cc`), where the fields are described.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type Machine, canBuild, parseMachines } from './machines.ts';

const parse = (text: string, files: Readonly<Record<string, string>> = {}): readonly Machine[] =>
  parseMachines(text, { systems: ['here-linux'], readFile: (path) => files[path] });

const hosts = (text: string, files?: Readonly<Record<string, string>>): string[] =>
  parse(text, files).map(({ url }) => url.text);

describe('a list of machines', () => {
  test('a host alone has the defaults', () => {
    expect(parse('nix@host')).toEqual([
      {
        url: {
          kind: 'ssh',
          host: { user: 'nix', host: 'host', port: undefined },
          params: new Map(),
          text: 'ssh://nix@host',
        },
        systems: ['here-linux'],
        sshKey: undefined,
        maxJobs: 1,
        speedFactor: 1,
        features: new Set(),
        mandatoryFeatures: new Set(),
        hostKey: undefined,
      },
    ]);
    expect(parse('nix@host - - - - - - -')).toEqual(parse('nix@host'));
  });

  test('all fields', () => {
    const [machine] = parse(
      'ssh-ng://host:2222\ti686-linux,x86_64-linux  /key 8 2.5 kvm,big benchmark c3NoLXJzYQ==',
    );
    expect(machine).toMatchObject({
      url: { kind: 'ssh-ng', host: { host: 'host', port: 2222 } },
      systems: ['i686-linux', 'x86_64-linux'],
      sshKey: '/key',
      maxJobs: 8,
      speedFactor: 2.5,
      features: new Set(['kvm', 'big']),
      mandatoryFeatures: new Set(['benchmark']),
      hostKey: 'c3NoLXJzYQ==',
    });
    expect(parse('host - - 1 0')[0]?.speedFactor).toBe(1);
  });

  test('lines, semicolons, comments and white space', () => {
    const text = '   # comment ; comment\n  a ; b  \n\n ;;; \n# c ; d\ne - - - # f\n';
    expect(hosts(text)).toEqual(['ssh://a', 'ssh://b', 'ssh://e']);
    expect(hosts('')).toEqual([]);
  });

  test('files that files name, and one that is not there', () => {
    const files = { '/one': 'a\n@/two', '/two': 'b ; @/none' };
    expect(hosts('x ; @/one ; y', files)).toEqual(['ssh://x', 'ssh://a', 'ssh://b', 'ssh://y']);
    expect(hosts('@ /one', files)).toEqual(['ssh://a', 'ssh://b']);
  });

  test.each([
    'host - - eight',
    'host - - -1',
    'host - - 8x',
    'host - - 8 three',
    'host - - 8 -3',
    'host - - 8 3 - - BAD_BASE64',
    '- x86_64-linux',
    'https://cache',
    'local',
    'ssh://-oProxyCommand=x',
  ])('%s is refused, and its line is named', (line) => {
    const text = `fine\n${line}`;
    expect(() => parse(text)).toThrow(NixDaemonError);
    expect(() => parse(text)).toThrow('line 2 of the machines');
  });

  test('a mistake in a file names the file', () => {
    const mistake = { '/one': '\n\nhost - - x' };
    expect(() => parse('@/one', mistake)).toThrow("line 3 of '/one' of the machines: field 4");
    expect(() => parse('@/one', { '/one': '@/one' })).toThrow('leads through more than');
  });

  test('garbage gives machines or an error that names a line', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(NixDaemonError);
          expect(String(error)).toMatch(/line \d+/);
        }
      }),
    );
  });
});

test('which machine may build what', () => {
  const [machine] = parse('host a,b - - - kvm big');
  const can = (system: string, ...required: string[]): boolean =>
    machine !== undefined && canBuild(machine, { system, required });
  expect(can('a', 'big')).toBe(true);
  expect(can('b', 'big', 'kvm')).toBe(true);
  expect(can('c', 'big')).toBe(false);
  expect(can('a')).toBe(false);
  expect(can('a', 'kvm')).toBe(false);
  expect(can('a', 'big', 'other')).toBe(false);
});
