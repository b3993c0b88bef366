import { expect, test } from 'vitest';
import { Digest, encodeUtf8 } from '@neve/bytes';
import type { DerivationOutput } from './index.ts';
import { derivationType, hasKnownOutputPaths, mayUseNetwork, parseStorePath } from './index.ts';

const path = parseStorePath('8zd0ck4kmdaf3hzbmvkmvrvpbi100dqg-x');
const fixed: DerivationOutput = {
  kind: 'fixed',
  path,
  method: 'flat',
  digest: new Digest('sha256', new Uint8Array(32)),
};
const floating: DerivationOutput = { kind: 'floating', method: 'nar', algorithm: 'sha256' };

function typeOf(outputs: Readonly<Record<string, DerivationOutput>>): string {
  const empty = encodeUtf8('');
  return derivationType({
    name: 'x',
    outputs: new Map(Object.entries(outputs)),
    inputSources: [],
    inputDerivations: [],
    system: empty,
    builder: empty,
    args: [],
    environment: new Map(),
  });
}

test.each<[Readonly<Record<string, DerivationOutput>>, string]>([
  [{ a: { kind: 'input-addressed', path }, b: { kind: 'input-addressed', path } }, 'input-addressed'],
  [{ out: fixed }, 'fixed'],
  [{ out: floating, dev: { ...floating, method: 'text' } }, 'floating'],
])('%o', (outputs, type) => {
  expect(typeOf(outputs)).toBe(type);
});

test.each<[Readonly<Record<string, DerivationOutput>>, string]>([
  [{}, 'must have at least one output'],
  [{ out: fixed, dev: floating }, "can't mix derivation output types"],
  [{ out: fixed, dev: fixed }, 'only one fixed output is allowed for now'],
  [{ dev: fixed }, 'single fixed output must be named "out"'],
  [
    { out: floating, dev: { ...floating, algorithm: 'sha1' } },
    'all floating outputs must use the same hash algorithm',
  ],
])('%o is refused', (outputs, message) => {
  expect(() => typeOf(outputs)).toThrow(`derivation 'x': ${message}`);
});

test('what follows from the type', () => {
  const types = ['input-addressed', 'fixed', 'floating', 'impure', 'deferred'] as const;
  expect(types.filter(hasKnownOutputPaths)).toEqual(['input-addressed', 'fixed']);
  expect(types.filter(mayUseNetwork)).toEqual(['fixed', 'impure']);
});
