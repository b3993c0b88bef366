import { expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { StoreDirectory, parseStorePath } from '@neve/nix-compat';
import type { Derivation, DerivationOutput } from '@neve/nix-compat';
import { scratchOutputs } from './scratch-outputs.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const path = parseStorePath('mkyrnqq52rk20wiyd8485rr0fbf2xmrz-rev.drv');

function derivationOf(output: DerivationOutput): Derivation {
  const empty = encodeUtf8('');
  return {
    name: 'rev',
    outputs: new Map([
      ['dev', output],
      ['out', output],
    ]),
    inputSources: [],
    inputDerivations: [],
    system: empty,
    builder: empty,
    args: [],
    environment: new Map(),
  };
}

function scratch(output: DerivationOutput, known?: Parameters<typeof scratchOutputs>[0]['known']): string[] {
  const outputs = scratchOutputs({ path, derivation: derivationOf(output), store, known });
  return Array.from(outputs, ([name, it]) => `${name} ${it.baseName}`);
}

// A build under Nix 2.34.8 wrote these backwards into its outputs, so that nothing could replace them.
test('outputs without paths are where Nix writes them', () => {
  expect(scratch({ kind: 'floating', method: 'nar', algorithm: 'sha256' })).toEqual([
    'dev 8ms4ni906bf1kbvjps1ffzcy0glsd1v9-rev-dev',
    'out lyh10q79rx17h8wmjvsqp8sqw5ak8kv9-rev',
  ]);
});

test('outputs with paths are there, and those that were built before', () => {
  const known = parseStorePath('hl4n9rizyfdyd66kkh9d9h1k9i1aaqcd-rev');
  expect(scratch({ kind: 'input-addressed', path: known })).toEqual([
    `dev ${known.baseName}`,
    `out ${known.baseName}`,
  ]);
  expect(scratch({ kind: 'impure', method: 'nar', algorithm: 'sha256' }, new Map([['out', known]]))[1]).toBe(
    `out ${known.baseName}`,
  );
});
