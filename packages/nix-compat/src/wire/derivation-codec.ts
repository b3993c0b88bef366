/**
 * A derivation as it is sent to be built: its inputs are store paths, and the derivations that they came from are gone. The
 * name is not sent; it follows from the path of the derivation.
 */
import { byteKey, keyBytes } from '@neve/bytes';
import { contentAddressedPath } from '../content-address.ts';
import type { Derivation, DerivationOutput } from '../derivation.ts';
import { inOrder, outputFields, outputOf, parseMethodAndAlgorithm } from '../derivation-aterm.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import { derivationName, outputPathName } from '../placeholders.ts';
import type { StoreDirectory } from '../store-directory.ts';
import type { StorePath } from '../store-path.ts';
import { listOf, mapOf, record } from './compound-codecs.ts';
import { bytes, text } from './primitive-codecs.ts';
import { outputName, storePath, storePaths } from './store-codecs.ts';
import { type WireCodec, reading } from './wire-codec.ts';

/** A derivation and the path that it has or would have. Nobody checks that one follows from the other. */
export type DerivationAt = {
  readonly drvPath: StorePath;
  /** Without input derivations. */
  readonly derivation: Derivation;
};

type OutputTexts = { readonly path: string; readonly algorithm: string; readonly hash: string };

type BasicDerivation = {
  readonly outputs: ReadonlyMap<string, OutputTexts>;
  readonly inputSources: readonly StorePath[];
  readonly system: Uint8Array;
  readonly builder: Uint8Array;
  readonly args: readonly Uint8Array[];
  readonly environment: ReadonlyMap<string, Uint8Array>;
};

const variableName: WireCodec<string> = {
  *read(from) {
    return byteKey(yield* from.readBytes(true));
  },
  write: (to, key) => to.bytes(keyBytes(key)),
};

const basicDerivation: WireCodec<BasicDerivation> = record<BasicDerivation>({
  outputs: mapOf(outputName, record<OutputTexts>({ path: text, algorithm: text, hash: text })),
  inputSources: storePaths,
  system: bytes,
  builder: bytes,
  args: listOf(bytes),
  environment: mapOf(variableName, bytes),
});

/** Throws `NixCompatError` (`unsupported-derivation`) for one that still has input derivations. */
export const derivationAt: WireCodec<DerivationAt> = {
  *read(from, context) {
    const drvPath = yield* reading('drvPath', storePath.read(from, context));
    const name = derivationName(drvPath);
    const basic = yield* reading(`derivation '${name}'`, basicDerivation.read(from, context));
    const outputs = Array.from(basic.outputs, ([output, fields]): [string, DerivationOutput] => [
      output,
      readOutput(fields, { store: context.store, name: outputPathName(name, output) }),
    ]);
    const { inputSources, system, builder, args } = basic;
    const derivation = {
      name,
      outputs: inOrder(new Map(outputs)),
      inputSources,
      inputDerivations: [],
      system,
      builder,
      args,
      environment: inOrder(basic.environment),
    };
    return { drvPath, derivation };
  },
  write(to, { drvPath, derivation }, context) {
    if (derivation.inputDerivations.length > 0) {
      const message = `derivation '${derivation.name}' has inputs that are derivations; it must be resolved before it is sent`;
      throw new NixCompatError('unsupported-derivation', message);
    }
    const outputs = Array.from(derivation.outputs, ([name, output]): [string, OutputTexts] => {
      const [path, algorithm, hash] = outputFields(output, context.store);
      return [name, { path, algorithm, hash }];
    });
    storePath.write(to, drvPath, context);
    basicDerivation.write(to, { ...derivation, outputs: new Map(outputs) }, context);
  },
};

/**
 * The path of a fixed output is computed and not believed: only its hash counts, so that nobody can claim a path that the
 * hash does not give.
 */
function readOutput(
  { path, algorithm, hash }: OutputTexts,
  { store, name }: { readonly store: StoreDirectory; readonly name: string },
): DerivationOutput {
  const output = outputOf({
    path: path === '' ? undefined : store.parse(path),
    algorithm: parseMethodAndAlgorithm(algorithm),
    hash,
  });
  if (output.kind !== 'fixed') return output;
  return { ...output, path: contentAddressedPath(store, { name, contentAddress: output }) };
}
