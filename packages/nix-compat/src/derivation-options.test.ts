// The messages are those of Nix 2.34.8.
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { Derivation, DerivationOptions } from './index.ts';
import { StoreDirectory, readDerivationOptions } from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const path = '/nix/store/8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-x';
const placeholder = `/${'1'.repeat(52)}`;

function read(environment: Readonly<Record<string, string>>): DerivationOptions {
  const derivation: Derivation = {
    name: 'x',
    outputs: new Map([['out', { kind: 'deferred' }]]),
    inputSources: [],
    inputDerivations: [],
    system: encodeUtf8('x86_64-linux'),
    builder: encodeUtf8('/bin/sh'),
    args: [],
    environment: new Map(Object.entries(environment).map(([name, value]) => [name, encodeUtf8(value)])),
  };
  return readDerivationOptions(derivation, store);
}

const structured = (attrs: unknown): DerivationOptions => read({ __json: JSON.stringify(attrs) });

test('without any', () => {
  expect(read({})).toMatchObject({ noChroot: false, preferLocalBuild: false, allowSubstitutes: true });
  expect(structured({})).toMatchObject({
    allowSubstitutes: true,
    outputChecks: { kind: 'by-output', checks: new Map() },
  });
  expect(read({ __noChroot: 'true', allowSubstitutes: '' })).toMatchObject({
    noChroot: false,
    allowSubstitutes: false,
  });
});

test('references: paths, what looks like one but is not, placeholders', () => {
  const { outputChecks } = read({ allowedReferences: `out ${path} ${path}/bin ${placeholder}/lib\n/etc` });
  const list = outputChecks.kind === 'same' ? outputChecks.checks.allowedReferences : undefined;
  expect(list).toEqual([
    { kind: 'placeholder', placeholder },
    { kind: 'output', output: '/etc' },
    { kind: 'path', path: expect.objectContaining({ name: 'x' }) },
    { kind: 'output', output: `${path}/bin` },
    { kind: 'output', output: 'out' },
  ]);
});

test('a graph may be of something below a path, or of one that is not known yet', () => {
  const { exportReferencesGraph } = read({ exportReferencesGraph: `b ${path}/bin a ${placeholder}` });
  expect([...exportReferencesGraph]).toEqual([
    ['a', [{ kind: 'placeholder', placeholder }]],
    ['b', [{ kind: 'path', path: expect.objectContaining({ name: 'x' }) }]],
  ]);
  const nested = structured({ exportReferencesGraph: { g: [[path], path] } });
  expect(nested.exportReferencesGraph.get('g')).toHaveLength(1);
});

describe('refused', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'odd',
      () => read({ exportReferencesGraph: 'a' }),
      /odd number of tokens in 'exportReferencesGraph': 'a'/,
    ],
    [
      'file',
      () => read({ exportReferencesGraph: `../a ${path}` }),
      /invalid file name '\.\.\/a' in 'exportReferencesGraph'/,
    ],
    [
      'path',
      () => read({ exportReferencesGraph: 'a /etc/passwd' }),
      /path '\/etc\/passwd' is not in the Nix store/,
    ],
    [
      'graph',
      () => structured({ exportReferencesGraph: { a: 1 } }),
      /'exportReferencesGraph' value is not an array or a string/,
    ],
    [
      'boolean',
      () => structured({ preferLocalBuild: 'yes' }),
      /attribute "preferLocalBuild": Expected JSON value to be of type 'boolean' but it is of type 'string': "yes"/,
    ],
    [
      'list',
      () => structured({ requiredSystemFeatures: 'kvm' }),
      /of type 'array' but it is of type 'string'/,
    ],
    ['item', () => structured({ impureEnvVars: [1] }), /of type 'string' but it is of type 'number': 1/],
    ['checks', () => structured({ outputChecks: [] }), /of type 'object' but it is of type 'array': \[\]/],
    [
      'check',
      () => structured({ outputChecks: { out: { allowedReferences: 'x' } } }),
      /while parsing attribute 'outputChecks\."out"\.allowedReferences'/,
    ],
    ['size', () => structured({ outputChecks: { out: { maxSize: -1 } } }), /unsigned integral number/],
    [
      'discard',
      () => structured({ unsafeDiscardReferences: { out: 1 } }),
      /attribute 'unsafeDiscardReferences'/,
    ],
    ['json', () => read({ __json: '[' }), /derivation 'x': cannot process __json attribute/],
    ['json list', () => read({ __json: '[]' }), /not an object/],
  ])('%s', (_, action, problem) => {
    expect(action).toThrow(problem);
    expect(action).toThrow(/derivation 'x'/);
  });
});

test('what structured attributes make meaningless is named', () => {
  const { warnings, passAsFile, outputChecks } = structured({
    allowedReferences: [],
    maxSize: 1,
    passAsFile: ['a'],
    exportReferencesGraph: ['a', path],
  });
  expect(passAsFile.size).toBe(0);
  expect(outputChecks).toEqual({ kind: 'by-output', checks: new Map() });
  expect(warnings.map((it) => /'(\w+)'(?:;| in)/.exec(it)?.[1])).toEqual([
    'allowedReferences',
    'maxSize',
    'passAsFile',
    'exportReferencesGraph',
  ]);
});
