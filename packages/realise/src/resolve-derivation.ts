/**
 * Derivations whose inputs, or whose own outputs, have no paths before they are built. Once the inputs are there, such a
 * derivation is *resolved*: the paths of the inputs take the place of what stood for them and are sources from then on, and
 * it has a path of its own. What it makes follows from that alone, so that it need not be made again when an input was
 * built anew and is the same.
 *
 * Described in the Nix manual under "Derivation resolution".
 */
import { encodeUtf8 } from '@neve/bytes';
import type { HashFunctions } from '@neve/bytes';
import {
  type Derivation,
  type DerivationHashes,
  type DerivationOutput,
  type StoreDirectory,
  type StorePath,
  derivationPath,
  derivationType,
  hasKnownOutputPaths,
  replaceAllBytes,
  storePathSet,
  upstreamPlaceholder,
} from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { RealiseError } from './realise-error.ts';

export type DerivationAt = { readonly path: StorePath; readonly derivation: Derivation };

export type ResolveContext = {
  readonly store: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly derivationHashes: DerivationHashes;
};

/** The outputs of inputs, by the hash part of the derivation and by output. */
export type InputOutputs = ReadonlyMap<string, ReadonlyMap<string, PathInfo>>;

/** Whether it has to be resolved; `lookUp` gives its inputs. */
export async function needsResolution(
  derivation: Derivation,
  lookUp: (path: StorePath) => Promise<Derivation>,
): Promise<boolean> {
  if (!hasKnownOutputPaths(derivationType(derivation))) return true;
  for (const { path } of derivation.inputDerivations) {
    if (!hasKnownOutputPaths(derivationType(await lookUp(path)))) return true;
  }
  return false;
}

/** Throws `NixCompatError`. */
export async function resolveDerivation(
  { derivation }: DerivationAt,
  inputs: InputOutputs,
  context: ResolveContext,
): Promise<DerivationAt> {
  const { store, hashes, derivationHashes } = context;
  const paths: StorePath[] = [];
  const replacements: { readonly from: Uint8Array; readonly to: Uint8Array }[] = [];
  for (const { path, outputs } of derivation.inputDerivations) {
    for (const output of outputs) {
      const pathInfo = inputs.get(path.hashPart)?.get(output);
      if (pathInfo === undefined) {
        throw new RealiseError('not-found', `the output '${output}' of '${store.print(path)}' was not made`);
      }
      paths.push(pathInfo.storePath);
      const from = encodeUtf8(upstreamPlaceholder({ derivation: path, output }, hashes));
      replacements.push({ from, to: encodeUtf8(store.print(pathInfo.storePath)) });
    }
  }
  const replaced = (bytes: Uint8Array): Uint8Array => replaceAllBytes(bytes, replacements);
  const basic: Derivation = {
    ...derivation,
    inputSources: storePathSet([...derivation.inputSources, ...paths]),
    inputDerivations: [],
    builder: replaced(derivation.builder),
    args: derivation.args.map(replaced),
    environment: new Map(Array.from(derivation.environment, ([name, value]) => [name, replaced(value)])),
  };
  const resolved = await withOutputPaths(basic, { store, derivationHashes });
  return { path: derivationPath(resolved, context), derivation: resolved };
}

/** Outputs that had to wait for the inputs get their paths, and so do the variables named after them. */
async function withOutputPaths(
  derivation: Derivation,
  { store, derivationHashes }: Pick<ResolveContext, 'store' | 'derivationHashes'>,
): Promise<Derivation> {
  if (derivationType(derivation) !== 'deferred') return derivation;
  const paths = await derivationHashes.outputPaths(derivation);
  const outputs = new Map<string, DerivationOutput>();
  const environment = new Map(derivation.environment);
  for (const [name, output] of derivation.outputs) {
    const path = paths.get(name);
    outputs.set(name, path === undefined ? output : { kind: 'input-addressed', path });
    if (path !== undefined && environment.has(name)) environment.set(name, encodeUtf8(store.print(path)));
  }
  return { ...derivation, outputs, environment };
}
