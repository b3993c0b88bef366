/**
 * Derivations whose inputs, or whose own outputs, have no paths before they are built. Once the inputs are there, such a
 * derivation is *resolved*: the paths of the inputs take the place of what stood for them and are sources from then on, and
 * it has a path of its own. What it makes follows from that alone, so that it need not be made again when an input was
 * built anew and is the same.
 *
 * Described in the Nix manual under "Derivation resolution".
 */
import type { HashFunctions } from '@neve/bytes';
import {
  type Derivation,
  type StoreDirectory,
  type StorePath,
  derivationPath,
  derivationType,
  hasKnownOutputPaths,
  resolveDerivation as resolve,
} from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { RealiseError } from './realise-error.ts';

export type DerivationAt = { readonly path: StorePath; readonly derivation: Derivation };

export type ResolveContext = {
  readonly store: StoreDirectory;
  readonly hashes: HashFunctions;
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

/** Throws `NixCompatError`, and `RealiseError` (`not-found`) for an input that was not made. */
export async function resolveDerivation(
  { derivation }: DerivationAt,
  inputs: InputOutputs,
  context: ResolveContext,
): Promise<DerivationAt> {
  for (const { path, outputs } of derivation.inputDerivations) {
    const missing = outputs.find((output) => inputs.get(path.hashPart)?.has(output) !== true);
    if (missing === undefined) continue;
    throw new RealiseError(
      'not-found',
      `the output '${missing}' of '${context.store.print(path)}' was not made`,
    );
  }
  const resolved = await resolve(derivation, {
    ...context,
    outputPath: ({ derivation: { hashPart }, output }) => inputs.get(hashPart)?.get(output)?.storePath,
  });
  return { path: derivationPath(resolved, context), derivation: resolved };
}
