// As `nix-build` of Nix 2.34.8 ends; `tests/build-command` compares with it.
import { expect, test } from 'vitest';
import { BuildError } from '@neve/build';
import { FetchError } from '@neve/fetch';
import { RealiseError } from '@neve/realise';
import { exitCodeOf } from './exit-code.ts';

const broken = new RealiseError('failed', 'x', {
  cause: new BuildError('failed', 'x', { status: { code: 1 } }),
});
const noOutput = new RealiseError('failed', 'x', { cause: new BuildError('output-missing', 'x') });
const slow = new RealiseError('timeout', 'x');
const wrong = new RealiseError('hash-mismatch', 'x');
const random = new RealiseError('not-reproducible', 'x');
const givenUp = new RealiseError('given-up', 'x', { cause: broken });
const needing = (...failures: readonly Error[]): Error =>
  new RealiseError('failed-dependency', 'x', { failures });

test.each<[number, readonly Error[]]>([
  [0, []],
  [100, [broken]],
  [101, [slow]],
  [102, [wrong]],
  [103, [wrong, slow, broken]],
  [104, [random]],
  [108, [random, broken]],
  [100, [broken, givenUp]],
  [100, [needing(broken)]],
  [102, [needing(broken, needing(wrong))]],
  [1, [noOutput]],
  [1, [needing(noOutput)]],
  [100, [noOutput, broken]],
  [1, [new RealiseError('fixed-output-failed', 'x')]],
  [1, [new RealiseError('output-check', 'x')]],
  [1, [new RealiseError('cycle', 'x')]],
  [1, [new FetchError('not-found', 'x')]],
  [102, [new FetchError('hash-mismatch', 'x')]],
  [100, [new RealiseError('unsupported-system', 'x')]],
])('%i', (code, failures) => expect(exitCodeOf(failures)).toBe(code));
