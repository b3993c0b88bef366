/**
 * A derivation without input derivations: each of their outputs is replaced by the store path that it has. That is what is
 * built of a derivation some of whose inputs have paths that follow from their contents; two of them that differ only in
 * how such inputs were made become the same one.
 *
 * Placeholders of inputs are replaced in the builder, arguments and variables, names included. Outputs that were deferred
 * get their paths.
 */
import { byteKey, encodeUtf8, keyBytes } from '@neve/bytes';
import type { HashFunctions } from '@neve/bytes';
import { inOrder } from './derivation-aterm.ts';
import { DerivationHashes } from './derivation-hash.ts';
import type { Derivation, DerivationOutput } from './derivation.ts';
import { parseJson, printJson } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { upstreamPlaceholder } from './placeholders.ts';
import type { UpstreamOutput } from './placeholders.ts';
import { replaceAllBytes } from './replace-bytes.ts';
import type { ByteReplacement } from './replace-bytes.ts';
import type { StoreDirectory } from './store-directory.ts';
import { storePathSet } from './store-path.ts';
import type { StorePath } from './store-path.ts';
import { structuredAttrsVariable } from './structured-attrs.ts';

export type ResolveOptions = {
  readonly store: StoreDirectory;
  readonly hashes: HashFunctions;
  /** The path that an output has; `undefined` when it has none yet. */
  readonly outputPath: (output: UpstreamOutput) => StorePath | undefined;
};

/** Throws `NixCompatError` (`bad-derivation`) when an output has no path yet, which a caller makes sure of before. */
export async function resolveDerivation(
  derivation: Derivation,
  { store, hashes, outputPath }: ResolveOptions,
): Promise<Derivation> {
  const sources = [...derivation.inputSources];
  const replacements: ByteReplacement[] = [];
  for (const { path, outputs } of derivation.inputDerivations) {
    for (const output of outputs) {
      const upstream = { derivation: path, output };
      const actual = outputPath(upstream);
      if (actual === undefined) {
        const problem = `its input '${output}' of '${path.baseName}' has no path yet`;
        throw new NixCompatError(
          'bad-derivation',
          `derivation '${derivation.name}' cannot be resolved: ${problem}`,
        );
      }
      sources.push(actual);
      replacements.push({
        from: encodeUtf8(upstreamPlaceholder(upstream, hashes)),
        to: encodeUtf8(store.print(actual)),
      });
    }
  }
  const replace = (bytes: Uint8Array): Uint8Array => replaceAllBytes(bytes, replacements);
  const environment = Array.from(derivation.environment, ([key, value]): [string, Uint8Array] => [
    byteKey(replace(keyBytes(key))),
    key === structuredAttrsVariable ? encodeUtf8(printJson(parseJson(replace(value)))) : replace(value),
  ]);
  const resolved: Derivation = {
    ...derivation,
    inputSources: storePathSet(sources),
    inputDerivations: [],
    builder: replace(derivation.builder),
    args: derivation.args.map(replace),
    environment: inOrder(new Map(environment)),
  };
  return fillInOutputPaths(resolved, { store, hashes });
}

async function fillInOutputPaths(
  derivation: Derivation,
  { store, hashes }: Pick<ResolveOptions, 'store' | 'hashes'>,
): Promise<Derivation> {
  if (![...derivation.outputs.values()].some(({ kind }) => kind === 'deferred')) return derivation;
  const lookUp = (path: StorePath): never => {
    throw new Error(`'${path.baseName}' was asked for, though there are no input derivations`);
  };
  const paths = await new DerivationHashes({ store, hashes, lookUp }).outputPaths(derivation);
  const outputs = new Map<string, DerivationOutput>();
  const environment = new Map(derivation.environment);
  for (const [name, output] of derivation.outputs) {
    const path = paths.get(name);
    outputs.set(name, path === undefined ? output : { kind: 'input-addressed', path });
    if (path !== undefined) environment.set(name, encodeUtf8(store.print(path)));
  }
  return { ...derivation, outputs, environment: inOrder(environment) };
}
