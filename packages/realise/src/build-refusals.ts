/** Why a build is not begun, in the words of Nix where it has some. Derivations are given as they are printed. */
import type { Derivation, StoreDirectory } from '@neve/nix-compat';
import { RealiseError } from './realise-error.ts';

type FailedDependencies = {
  readonly derivation: Derivation;
  readonly failures: readonly Error[];
  readonly storeDirectory: StoreDirectory;
};

export function failedDependencies(
  drvPath: string,
  { derivation, failures, storeDirectory }: FailedDependencies,
): RealiseError {
  const paths = [...derivation.outputs.values()].flatMap((it) => ('path' in it ? [it.path] : []));
  const what = failures.length === 1 ? '1 dependency' : `${failures.length} dependencies`;
  const lines = [`Cannot build '${drvPath}'.`, `Reason: ${what} failed.`];
  if (paths.length > 0) lines.push('Output paths:', ...paths.map((it) => `  ${storeDirectory.print(it)}`));
  return new RealiseError('failed-dependency', lines.join('\n'), { cause: failures[0], failures });
}

export function givenUp(drvPath: string, cause: unknown): RealiseError {
  return new RealiseError('given-up', `'${drvPath}' was not built, since something else has failed`, {
    cause,
  });
}

export function isGivenUp(error: Error): boolean {
  return error instanceof RealiseError && error.code === 'given-up';
}

export function nothingToCheck(drvPath: string): RealiseError {
  const problem = `some outputs of '${drvPath}' are not valid, so checking is not possible`;
  return new RealiseError('not-found', `${problem}; build it before`);
}

export function buildsAreDisabled(drvPath: string): RealiseError {
  const lines = [
    `Cannot build '${drvPath}'.`,
    'Reason: local builds are disabled (max-jobs = 0)',
    "Hint: set 'max-jobs' to a non-zero value to enable local builds",
  ];
  return new RealiseError('unsupported-system', lines.join('\n'));
}
