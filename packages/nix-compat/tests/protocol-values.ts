/** Arbitrary values of the protocols, for property tests. */
import fc from 'fast-check';
import { Digest, byteKey } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { BuildResult, BuiltOutput } from '../src/build-result.ts';
import { buildStatuses } from '../src/build-result.ts';
import type { ContentAddress } from '../src/content-address.ts';
import { contentAddressedPath } from '../src/content-address.ts';
import { inOrder } from '../src/derivation-aterm.ts';
import type { Derivation, DerivationOutput } from '../src/derivation.ts';
import type { DerivedPath, SingleDerivedPath } from '../src/derived-path.ts';
import type { UnkeyedValidPathInfo } from '../src/path-info.ts';
import { outputPathName } from '../src/placeholders.ts';
import type { HashedRealisation } from '../src/realisation.ts';
import type { Signature } from '../src/signature.ts';
import { StoreDirectory } from '../src/store-directory.ts';
import { StorePath, storePathSet } from '../src/store-path.ts';
import type { DerivationAt } from '../src/wire/derivation-codec.ts';
import type { WireContext } from '../src/wire/wire-codec.ts';

export const store: StoreDirectory = new StoreDirectory('/nix/store', nodeHashes);

export function speaking(minor: number, ...features: readonly string[]): WireContext {
  return { store, minor, features: new Set(features) };
}

const nixBase32 = '0123456789abcdfghijklmnpqrsvwxyz';
const hashPart = fc.string({
  unit: fc.constantFrom(...nixBase32.split('')),
  minLength: 32,
  maxLength: 32,
});
export const name: fc.Arbitrary<string> = fc.stringMatching(/^[a-z][a-z0-9+_?=-]{0,12}$/);
export const storePath: fc.Arbitrary<StorePath> = fc
  .tuple(hashPart, name)
  .map(([hash, its]) => new StorePath(hash, its));
export const drvPath: fc.Arbitrary<StorePath> = fc
  .tuple(hashPart, name)
  .map(([hash, its]) => new StorePath(hash, `${its}.drv`));
export const storePaths: fc.Arbitrary<readonly StorePath[]> = fc
  .array(storePath, { maxLength: 4 })
  .map(storePathSet);
export const sha256: fc.Arbitrary<Digest> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => new Digest('sha256', bytes));
export const contentAddress: fc.Arbitrary<ContentAddress> = fc.record({
  method: fc.constantFrom('text', 'flat', 'nar', 'git'),
  digest: sha256,
});
const signature: fc.Arbitrary<Signature> = fc.record({
  keyName: name,
  bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }),
});
/** In their order: by the names of keys, which differ. */
export const signatures: fc.Arbitrary<readonly Signature[]> = fc
  .uniqueArray(signature, { maxLength: 3, selector: ({ keyName }) => keyName })
  .map((them) => them.sort((a, b) => (a.keyName < b.keyName ? -1 : 1)));
export const optional = <T>(it: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(it, { nil: undefined });
const number = fc.maxSafeNat();

export const pathInfo: fc.Arbitrary<UnkeyedValidPathInfo> = fc.record({
  deriver: optional(drvPath),
  narHash: sha256,
  references: storePaths,
  registrationTime: number,
  narSize: number,
  ultimate: fc.boolean(),
  signatures,
  contentAddress: optional(contentAddress),
});

export const singleDerivedPath: fc.Arbitrary<SingleDerivedPath> = fc
  .tuple(drvPath, fc.array(name, { maxLength: 3 }))
  .map(([path, outputs]) => {
    let it: SingleDerivedPath = { kind: 'opaque', path };
    for (const output of outputs) it = { kind: 'built', drvPath: it, output };
    return it;
  });

const outputs = fc.oneof(
  fc.constant('all' as const),
  fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((them) => them.sort()),
);

export const derivedPath: fc.Arbitrary<DerivedPath> = fc.oneof(
  fc.record({ kind: fc.constant('opaque' as const), path: storePath }),
  fc.record({ kind: fc.constant('built' as const), drvPath: singleDerivedPath, outputs }),
);

/** What can be asked for before 1.30. */
export const plainDerivedPath: fc.Arbitrary<DerivedPath> = fc.oneof(
  fc.record({ kind: fc.constant('opaque' as const), path: storePath }),
  fc.record({
    kind: fc.constant('built' as const),
    drvPath: drvPath.map((path) => ({ kind: 'opaque' as const, path })),
    outputs,
  }),
);

const hashedDrvOutput = fc.record({ derivationHash: sha256, outputName: name });

export const hashedRealisation: fc.Arbitrary<HashedRealisation> = fc
  .tuple(
    hashedDrvOutput,
    storePath,
    signatures,
    fc.array(fc.tuple(hashedDrvOutput, storePath), { maxLength: 2 }),
  )
  .map(([id, outPath, its, dependent]) => ({
    ...id,
    outPath,
    signatures: its,
    dependentRealisations: [...dependent].sort(([a], [b]) =>
      a.derivationHash.format('hex') + a.outputName < b.derivationHash.format('hex') + b.outputName ? -1 : 1,
    ),
  }));

/** By name, in the form of this end's newest protocol or of old ones. */
export function builtOutputs(form: 'keyed' | 'hashed'): fc.Arbitrary<ReadonlyMap<string, BuiltOutput>> {
  const output: fc.Arbitrary<BuiltOutput> =
    form === 'keyed'
      ? fc.record({ outPath: storePath, signatures })
      : hashedRealisation.map(({ derivationHash, outPath, signatures: its, dependentRealisations }) => ({
          derivationHash,
          outPath,
          signatures: its,
          dependentRealisations,
        }));
  return fc
    .uniqueArray(fc.tuple(name, output), { maxLength: 3, selector: ([its]) => its })
    .map((them) => new Map(them.sort(([a], [b]) => (a < b ? -1 : 1))));
}

export function buildResult(form: 'keyed' | 'hashed'): fc.Arbitrary<BuildResult> {
  return fc.record({
    status: fc.constantFrom(...buildStatuses),
    errorMessage: fc.string(),
    timesBuilt: fc.nat(),
    isNonDeterministic: fc.boolean(),
    startTime: number,
    stopTime: number,
    cpuUserMicroseconds: optional(number),
    cpuSystemMicroseconds: optional(number),
    builtOutputs: builtOutputs(form),
  });
}

const bytes = fc.uint8Array({ maxLength: 20 });

function output(derivation: string, its: string): fc.Arbitrary<DerivationOutput> {
  return fc.oneof(
    storePath.map((path): DerivationOutput => ({ kind: 'input-addressed', path })),
    contentAddress.map((address): DerivationOutput => {
      const path = contentAddressedPath(store, {
        name: outputPathName(derivation, its),
        contentAddress: address,
      });
      return { kind: 'fixed', path, ...address };
    }),
    fc.constant<DerivationOutput>({ kind: 'floating', method: 'nar', algorithm: 'sha256' }),
    fc.constant<DerivationOutput>({ kind: 'impure', method: 'flat', algorithm: 'sha512' }),
    fc.constant<DerivationOutput>({ kind: 'deferred' }),
  );
}

export const derivationAt: fc.Arbitrary<DerivationAt> = fc
  .tuple(drvPath, fc.uniqueArray(name, { minLength: 1, maxLength: 3 }))
  .chain(([path, names]) => {
    const its = path.name.slice(0, -'.drv'.length);
    const derivation: fc.Arbitrary<Derivation> = fc.record({
      name: fc.constant(its),
      outputs: fc
        .tuple(...names.map((it) => output(its, it).map((one): [string, DerivationOutput] => [it, one])))
        .map((them) => inOrder(new Map(them))),
      inputSources: storePaths,
      inputDerivations: fc.constant([]),
      system: bytes,
      builder: bytes,
      args: fc.array(bytes, { maxLength: 3 }),
      environment: fc
        .array(fc.tuple(bytes.map(byteKey), bytes), { maxLength: 4 })
        .map((them) => inOrder(new Map(them))),
    });
    return derivation.map((it) => ({ drvPath: path, derivation: it }));
  });
