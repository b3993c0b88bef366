/**
 * Where a build writes its outputs. The builder has its own empty store directory, so an output lies where it will lie in
 * the store. One whose path follows from its contents is written to a path made up for it, and moved afterwards.
 */
import { Digest } from '@neve/bytes';
import { outputPathName } from '@neve/nix-compat';
import type { Derivation, StoreDirectory, StorePath } from '@neve/nix-compat';

export type ScratchOptions = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  readonly store: StoreDirectory;
  /** Paths of outputs that follow from contents and are there already, from an earlier build. */
  readonly known?: ReadonlyMap<string, StorePath> | undefined;
};

/** By output, in the order of their names. */
export function scratchOutputs(options: ScratchOptions): ReadonlyMap<string, StorePath> {
  const { derivation, known } = options;
  return new Map(
    Array.from(derivation.outputs, ([name, output]) => {
      const path = 'path' in output ? output.path : known?.get(name);
      return [name, path ?? madeUpPath(name, options)];
    }),
  );
}

/** A path of a type that no other path has. */
function madeUpPath(output: string, { path, derivation, store }: ScratchOptions): StorePath {
  const type = `rewrite:${path.baseName}:name:${output}`;
  return store.makePath(
    type,
    new Digest('sha256', new Uint8Array(32)),
    outputPathName(derivation.name, output),
  );
}
