/**
 * What can be asked for: a store path as it is, or outputs of a derivation, which may itself be an output of another one.
 * As a text of the protocols it is
 *
 *     derived path = single | single "!" ("*" | output ("," output)*)
 *     single       = store path | single "!" output
 */
import { NixCompatError } from './nix-compat-error.ts';
import type { StoreDirectory } from './store-directory.ts';
import { type StorePath, checkStorePathName } from './store-path.ts';

/** A path that one knows or will know: one thing. */
export type SingleDerivedPath =
  | { readonly kind: 'opaque'; readonly path: StorePath }
  | { readonly kind: 'built'; readonly drvPath: SingleDerivedPath; readonly output: string };

/** Names of outputs in order, none twice and not none. */
export type OutputsSpec = 'all' | readonly string[];

export type DerivedPath =
  | { readonly kind: 'opaque'; readonly path: StorePath }
  | { readonly kind: 'built'; readonly drvPath: SingleDerivedPath; readonly outputs: OutputsSpec };

/** How often an output may be an output of an output. */
const maxDepth = 64;

export function printDerivedPath(it: DerivedPath, store: StoreDirectory): string {
  if (it.kind === 'opaque') return store.print(it.path);
  return `${printSingleDerivedPath(it.drvPath, store)}!${it.outputs === 'all' ? '*' : it.outputs.join(',')}`;
}

export function printSingleDerivedPath(it: SingleDerivedPath, store: StoreDirectory): string {
  if (it.kind === 'opaque') return store.print(it.path);
  return `${printSingleDerivedPath(it.drvPath, store)}!${it.output}`;
}

/** Throws `NixCompatError` (`bad-store-path`, `not-in-store`, `bad-store-path-name`). */
export function parseDerivedPath(printed: string, store: StoreDirectory): DerivedPath {
  const [path = '', ...outputs] = printed.split('!');
  const last = outputs.pop();
  if (last === undefined) return { kind: 'opaque', path: store.parse(path) };
  return { kind: 'built', drvPath: singleOf(store.parse(path), outputs), outputs: parseOutputs(last) };
}

/** Throws as `parseDerivedPath`. */
export function parseSingleDerivedPath(printed: string, store: StoreDirectory): SingleDerivedPath {
  const [path = '', ...outputs] = printed.split('!');
  return singleOf(store.parse(path), outputs);
}

function singleOf(path: StorePath, outputs: readonly string[]): SingleDerivedPath {
  if (outputs.length > maxDepth) {
    throw new NixCompatError('bad-store-path', `more than ${maxDepth} outputs of outputs are asked for`);
  }
  let single: SingleDerivedPath = { kind: 'opaque', path };
  for (const output of outputs) {
    checkStorePathName(output);
    single = { kind: 'built', drvPath: single, output };
  }
  return single;
}

/** `*`, or names separated by commas. Throws `NixCompatError`. */
export function parseOutputs(printed: string): OutputsSpec {
  if (printed === '*') return 'all';
  const names = [...new Set(printed.split(','))].sort();
  for (const it of names) checkStorePathName(it);
  return names;
}
