/** Outputs of one derivation, each after those that it refers to. */
import type { StorePath } from '@neve/nix-compat';
import { RealiseError } from './realise-error.ts';

export type OrderedOutput = {
  readonly name: string;
  readonly scratchPath: StorePath;
  readonly references: readonly StorePath[];
};

/** `drvPath` is for messages. Throws `RealiseError` (`cycle`); an output may refer to itself. */
export function sortOutputs<T extends OrderedOutput>(outputs: readonly T[], drvPath: string): readonly T[] {
  const byHashPart = new Map(outputs.map((it) => [it.scratchPath.hashPart, it]));
  const sorted = new Set<T>();
  const open = new Set<T>();
  const visit = (output: T, parent: T | undefined): void => {
    if (open.has(output)) {
      throw new RealiseError(
        'cycle',
        `cycle detected in build of '${drvPath}' in the references of output '${output.name}' ` +
          `from output '${parent?.name ?? output.name}'`,
      );
    }
    if (sorted.has(output)) return;
    open.add(output);
    // Nix goes through names of outputs in order, and its message depends on that.
    const children = output.references
      .flatMap(({ hashPart }) => byHashPart.get(hashPart) ?? [])
      .filter((it) => it !== output)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of children) visit(child, output);
    open.delete(output);
    sorted.add(output);
  };
  for (const output of outputs) visit(output, undefined);
  return [...sorted];
}
