// That the JSON is that of Nix is shown by tests/derivations.test.ts; here is what is refused.
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { Derivation } from './index.ts';
import { StoreDirectory, derivationToJson, parseDerivationJson } from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const path = '8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-x';

const plain = {
  args: [],
  builder: '/bin/sh',
  env: {},
  inputs: { drvs: {}, srcs: [] },
  name: 'x',
  outputs: { out: { path } },
  system: 's',
  version: 4,
};

function parse(changes: Readonly<Record<string, unknown>>): Derivation {
  return parseDerivationJson(encodeUtf8(JSON.stringify({ ...plain, ...changes })), store);
}

test('one that is right', () => {
  const derivation = parse({ structuredAttrs: { b: 1, a: 2 }, env: { out: '' } });
  expect([...derivation.environment.keys()]).toEqual(['__json', 'out']);
  expect(derivation.environment.get('__json')).toEqual(encodeUtf8('{"a":2,"b":1}'));
});

test('a fixed output has the path that follows from its hash', () => {
  const hash = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  const { outputs } = parse({ name: 'download', outputs: { out: { method: 'flat', hash } } });
  expect(outputs.get('out')).toMatchObject({ kind: 'fixed', path: { name: 'download' } });
});

describe('refused', () => {
  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['another version', { version: 3 }, /version 3, only format version 4 is currently supported/],
    ['no name', { name: undefined }, /to contain key 'name' but it doesn't: \{"args"/],
    [
      'a number',
      { builder: 1 },
      /'builder' of the derivation: .* of type 'string' but it is of type 'number': 1/,
    ],
    ['no list', { args: 'x' }, /of type 'array' but it is of type 'string': "x"/],
    ['no object', { env: [] }, /of type 'object' but it is of type 'array': \[\]/],
    ['a variable', { env: { a: null } }, /the variable 'a'.*'null': null/],
    ['odd outputs', { outputs: { out: { path, method: 'nar' } } }, /invalid JSON for derivation output/],
    [
      'a method',
      { outputs: { out: { method: 'r', hashAlgo: 'sha256' } } },
      /Invalid file ingestion mode 'r'/,
    ],
    ['an algorithm', { outputs: { out: { method: 'nar', hashAlgo: 'x' } } }, /unknown hash algorithm 'x'/],
    ['a hash', { outputs: { out: { method: 'nar', hash: 'sha256-x' } } }, /'x' is not base 64/],
    ['a source', { inputs: { drvs: {}, srcs: ['x'] } }, /too short to be a valid store path/],
    [
      'outputs of outputs',
      { inputs: { drvs: { [path]: { outputs: [], dynamicOutputs: { a: {} } } }, srcs: [] } },
      /dynamic outputs, which are not supported/,
    ],
  ])('%s', (_, changes, problem) => {
    expect(() => parse(changes)).toThrow(problem);
  });

  test('what is not UTF-8 has no JSON', () => {
    const derivation = { ...parse({}), args: [Uint8Array.of(0xff)] };
    expect(() => derivationToJson(derivation)).toThrow(/derivation 'x' holds .* not UTF-8/);
  });
});
