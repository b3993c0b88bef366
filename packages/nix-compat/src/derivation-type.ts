/**
 * What kind of derivation it is, which follows from its outputs: all of one kind, a fixed one alone and named `out`.
 */
import type { Derivation } from './derivation.ts';
import { NixCompatError } from './nix-compat-error.ts';

export type DerivationType =
  Derivation['outputs'] extends ReadonlyMap<string, infer Output>
    ? Output extends { readonly kind: infer Kind }
      ? Kind
      : never
    : never;

/** The kind of all of its outputs. Throws `NixCompatError` (`bad-derivation`) for a mixture that may not be. */
export function derivationType({ name, outputs }: Derivation): DerivationType {
  const bad = (problem: string): NixCompatError =>
    new NixCompatError('bad-derivation', `derivation '${name}': ${problem}`);
  const kinds = new Set(Array.from(outputs.values(), ({ kind }) => kind));
  const [kind] = kinds;
  if (kind === undefined) throw bad('must have at least one output');
  if (kinds.size > 1) throw bad("can't mix derivation output types");
  if (kind === 'fixed') {
    if (outputs.size > 1) throw bad('only one fixed output is allowed for now');
    if (!outputs.has('out')) throw bad('single fixed output must be named "out"');
  }
  if (kind === 'floating') {
    const algorithms = Array.from(outputs.values(), (it) => ('algorithm' in it ? it.algorithm : undefined));
    if (new Set(algorithms).size > 1) throw bad('all floating outputs must use the same hash algorithm');
  }
  return kind;
}

/** Whether its outputs' paths are known before it is built. */
export function hasKnownOutputPaths(type: DerivationType): boolean {
  return type === 'input-addressed' || type === 'fixed';
}

/** Whether what it does may depend on the network and on variables of the environment. */
export function mayUseNetwork(type: DerivationType): boolean {
  return type === 'fixed' || type === 'impure';
}
