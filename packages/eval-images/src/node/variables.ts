/** Variables of the environment that were asked for, compared with those that are there. */
import type { EvalIO } from '@neve/eval';
import type { VariableRead } from '../read-set.ts';

/** What has changed, for the user. */
export function changedVariable(
  variables: Iterable<readonly [name: string, VariableRead]>,
  world: Pick<EvalIO, 'environmentVariable'>,
): string | undefined {
  for (const [name, { value }] of variables) {
    const found = world.environmentVariable(Buffer.from(name, 'latin1'));
    const now = found && Buffer.from(found).toString('latin1');
    if (now === value) continue;
    if (now === undefined) return `the variable ${name} was set, and is not any more`;
    return value === undefined
      ? `the variable ${name} was not set`
      : `the variable ${name} has another value`;
  }
  return undefined;
}
