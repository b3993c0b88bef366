import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { symlinkTarget } from '@neve/castore';
import { BuildError } from './build-error.ts';
import type { BuildRequest } from './build-request.ts';
import { checkBuildRequest } from './check-build-request.ts';
import { type TrialOptions, trialRequest } from './testing/trial-request.ts';

const link = { kind: 'symlink', target: symlinkTarget('x') } as const;

function problemOf(options: TrialOptions): string | undefined {
  try {
    checkBuildRequest(trialRequest('true', options));
    return undefined;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'invalid-request') return error.message;
    throw error;
  }
}

describe('what is allowed', () => {
  test.each<readonly [string, TrialOptions]>([
    ['the usual', {}],
    ['no outputs', { outputs: [] }],
    [
      'inputs of many names',
      { inputs: new Map(['a', '.hidden', 'ä', 'with space', '-x', 'x'.repeat(255)].map((it) => [it, link])) },
    ],
    ['inputs in the root', { inputsDirectory: '', inputs: new Map([['in', link]]) }],
    ['outputs beside inputs', { inputs: new Map([['output2', link]]) }],
    [
      'paths in no order',
      { outputs: ['nix/store/z', 'build/x', 'nix/store/a'], scratchPaths: ['nix/store', 'build', 'a'] },
    ],
    ['nested scratch paths', { scratchPaths: ['build', 'build/deep', 'nix/store'] }],
    [
      'a scratch path with a name that begins like another',
      { scratchPaths: ['build', 'nix/store', 'nix/storex'], outputs: ['nix/storex/o'] },
    ],
    [
      'files',
      {
        files: new Map([
          ['build/.attrs', new Uint8Array()],
          ['build/a/b', new Uint8Array()],
        ]),
      },
    ],
    [
      'variables',
      {
        environment: new Map([
          ['a-b.c d', encodeUtf8('x=y\n')],
          ['é', Uint8Array.of(255)],
        ]),
      },
    ],
    ['limits', { limits: { timeMs: 1, logBytes: 1e12, memoryBytes: undefined } }],
    ['needles', { needles: [encodeUtf8('12345678')] }],
  ])('%s', (_, options) => expect(problemOf(options)).toBeUndefined());
});

describe('what is refused', () => {
  test.each<readonly [string, TrialOptions, string]>([
    ['an input with a slash', { inputs: new Map([['a/b', link]]) }, "'a/b'"],
    ['an input called ..', { inputs: new Map([['..', link]]) }, "'..'"],
    ['an input without a name', { inputs: new Map([['', link]]) }, "''"],
    ['an input with a long name', { inputs: new Map([['x'.repeat(256), link]]) }, 'name of a file'],
    ['an input with a NUL', { inputs: new Map([['a\0b', link]]) }, 'NUL'],
    ['an absolute directory of inputs', { inputsDirectory: '/nix/store' }, 'absolute'],
    ['a directory of inputs that is not clean', { inputsDirectory: 'nix//store' }, 'empty component'],
    ['inputs in /proc', { inputsDirectory: 'proc/x' }, '/proc'],
    ['a working directory with ..', { workingDirectory: 'build/../etc' }, "'..'"],
    ['a working directory that ends with a slash', { workingDirectory: 'build/' }, 'empty component'],
    ['a scratch path with .', { scratchPaths: ['./build', 'nix/store'] }, "'.'"],
    ['an empty scratch path', { scratchPaths: ['', 'nix/store'] }, 'empty'],
    ['a scratch path twice', { scratchPaths: ['build', 'nix/store', 'build'] }, 'twice'],
    [
      'a scratch path in an input',
      { inputs: new Map([['in', link]]), scratchPaths: ['nix/store', 'nix/store/in/x'] },
      "input 'in'",
    ],
    ['a program that is not absolute', { command: ['bin/sh'] }, 'absolute'],
    ['a program with ..', { command: ['/bin/../sh'] }, "'..'"],
    ['an argument with a NUL', { command: ['/bin/sh', 'a\0'] }, 'NUL'],
    ['a name with a NUL', { programName: '\0' }, 'NUL'],
    ['half of a character', { command: ['/bin/sh', '\ud800'] }, 'Unicode'],
    ['a variable without a name', { environment: new Map([['', new Uint8Array()]]) }, 'empty name'],
    ['a variable with =', { environment: new Map([['a=b', new Uint8Array()]]) }, "'a=b'"],
    ['a variable with a NUL', { environment: new Map([['a', Uint8Array.of(0)]]) }, "'a'"],
    ['an output outside of scratch paths', { outputs: ['elsewhere/x'] }, 'elsewhere/x'],
    ['an output that is a scratch path', { outputs: ['build'] }, "'build'"],
    ['an output twice', { outputs: ['build/x', 'build/x'] }, 'same'],
    ['an output in another one', { outputs: ['build/x', 'build/x/y'] }, 'in the other'],
    ['an output that holds another one', { outputs: ['build/x/y', 'build/x'] }, 'in the other'],
    ['an output that is an input', { inputs: new Map([['output', link]]) }, "input 'output'"],
    ['an output in an input', { inputs: new Map([['in', link]]), outputs: ['nix/store/in/x'] }, "input 'in'"],
    [
      'an output that holds the inputs',
      { inputs: new Map([['in', link]]), scratchPaths: ['nix'], outputs: ['nix/store'] },
      'inputs are',
    ],
    [
      'an output that holds a scratch path',
      { scratchPaths: ['a', 'a/b/c'], outputs: ['a/b'] },
      'scratch path',
    ],
    ['a file outside of scratch paths', { files: new Map([['etc/passwd', new Uint8Array()]]) }, 'etc/passwd'],
    [
      'a file in a file',
      {
        files: new Map([
          ['build/a', new Uint8Array()],
          ['build/a/b', new Uint8Array()],
        ]),
      },
      "'build/a'",
    ],
    [
      'a file in an input',
      { inputs: new Map([['in', link]]), files: new Map([['nix/store/in', new Uint8Array()]]) },
      "input 'in'",
    ],
    ['a file in an output', { files: new Map([['nix/store/output/x', new Uint8Array()]]) }, 'output'],
    ['a short needle', { needles: [encodeUtf8('1234567')] }, 'needle 0'],
    ['no system', { constraints: { system: '' } }, 'system'],
    ['less than no memory', { constraints: { minMemoryBytes: -1 } }, 'memory'],
    ['a relative path of the host', { constraints: { readOnlyPaths: ['dev/kvm'] } }, 'dev/kvm'],
    [
      'the root as a target',
      { constraints: { hostPaths: [{ target: '/', source: '/x', optional: true }] } },
      'root',
    ],
    ['a limit of nothing', { limits: { timeMs: 0 } }, 'timeMs'],
    ['a limit that is no number', { limits: { memoryBytes: NaN } }, 'memoryBytes'],
  ])('%s', (_, options, named) => expect(problemOf(options)).toContain(named));
});

test('the order of paths, variables and needles means nothing', () => {
  const name = fc.stringMatching(/^[a-z.]{1,3}$/u);
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((it) => it.join('/'));
  const requests = fc.record({
    scratchPaths: fc.array(path, { maxLength: 4 }),
    outputs: fc.array(path, { maxLength: 4 }),
    inputs: fc.array(name, { maxLength: 3 }),
    inputsDirectory: path,
    files: fc.array(path, { maxLength: 3 }),
  });
  const isValid = (request: BuildRequest): boolean => {
    try {
      checkBuildRequest(request);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(requests, ({ scratchPaths, outputs, inputs, inputsDirectory, files }) => {
      const request = (order: (list: readonly string[]) => string[]): BuildRequest =>
        trialRequest('', {
          scratchPaths: order(scratchPaths),
          outputs: order(outputs),
          inputsDirectory,
          inputs: new Map(order(inputs).map((it) => [it, link])),
          files: new Map(order(files).map((it) => [it, new Uint8Array()])),
        });
      const isAllowed = isValid(request((list) => [...list]));
      expect(isValid(request((list) => list.toReversed()))).toBe(isAllowed);
      expect(isValid(request((list) => [...list.slice(1), ...list.slice(0, 1)]))).toBe(isAllowed);
      // Whatever is allowed keeps outputs, files and inputs apart, below scratch paths.
      if (!isAllowed) return;
      const below = (it: string): boolean => scratchPaths.some((scratch) => it.startsWith(`${scratch}/`));
      for (const it of [...outputs, ...files]) {
        expect(below(it)).toBe(true);
        expect(it.split('/')).not.toContain('..');
        for (const input of inputs) expect(`${it}/`.startsWith(`${inputsDirectory}/${input}/`)).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});
