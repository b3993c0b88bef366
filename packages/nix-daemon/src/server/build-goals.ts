/** What clients ask for, as far as it is done here: store paths, and outputs of derivations that are in the store. */
import { type DerivedPath, type OutputsSpec, type StorePath, printDerivedPath } from '@neve/nix-compat';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices } from './daemon-services.ts';

export type BuildGoal =
  | { readonly kind: 'path'; readonly path: StorePath }
  | { readonly kind: 'outputs'; readonly drvPath: StorePath; readonly outputs: OutputsSpec };

/** Throws `NixDaemonError` (`unsupported`) for an output of an output. */
export function buildGoal(
  path: DerivedPath,
  { storeDirectory }: Pick<DaemonServices, 'storeDirectory'>,
): BuildGoal {
  if (path.kind === 'opaque') return { kind: 'path', path: path.path };
  if (path.drvPath.kind === 'opaque') {
    return { kind: 'outputs', drvPath: path.drvPath.path, outputs: path.outputs };
  }
  const printed = printDerivedPath(path, storeDirectory);
  throw new NixDaemonError(
    'unsupported',
    `'${printed}' is an output of a derivation that is itself built, which is not done here`,
  );
}

/** As messages name it. */
export function goalName(
  goal: BuildGoal,
  { storeDirectory }: Pick<DaemonServices, 'storeDirectory'>,
): string {
  return storeDirectory.print(goal.kind === 'path' ? goal.path : goal.drvPath);
}
