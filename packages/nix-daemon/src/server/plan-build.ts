/** What would have to be done for some goals: what `QueryMissing` asks. */
import type { DerivedPath, StorePath } from '@neve/nix-compat';
import type { MissingPaths } from '@neve/nix-compat/protocols';
import { type OutputOf, planRealisation } from '@neve/realise';
import { type BuildGoal, buildGoal } from './build-goals.ts';
import type { Call } from './call.ts';
import { openRealiser } from './open-realiser.ts';
import { findPathInfo } from './valid-paths.ts';

export async function planBuild(targets: readonly DerivedPath[], call: Call): Promise<MissingPaths> {
  const { daemon } = call;
  const unknown: StorePath[] = [];
  const wanted: (OutputOf | StorePath)[] = [];
  const { realiser } = openRealiser(call, { onEvent: () => undefined, signal: call.signal });
  for (const target of targets) {
    const goal = buildGoal(target, daemon);
    const found = await wantedFor(goal, call);
    if (found === undefined) unknown.push(goal.kind === 'path' ? goal.path : goal.drvPath);
    else wanted.push(...found);
  }
  const plan = await planRealisation(wanted, realiser.decisions);
  return {
    willBuild: plan.builds.map(({ derivation }) => derivation),
    willSubstitute: plan.substitutions.map(({ storePath }) => storePath),
    unknown: [...unknown, ...plan.unknown],
    downloadSize: plan.substitutions.reduce((sum, { downloadSize = 0 }) => sum + downloadSize, 0),
    narSize: plan.substitutions.reduce((sum, { narSize }) => sum + narSize, 0),
  };
}

/** `undefined` when the derivation is not there. */
async function wantedFor(
  goal: BuildGoal,
  { daemon, signal }: Call,
): Promise<readonly (OutputOf | StorePath)[] | undefined> {
  if (goal.kind === 'path') return [goal.path];
  const { drvPath: derivation, outputs } = goal;
  if ((await findPathInfo(derivation, daemon, signal)) === undefined) return undefined;
  const names =
    outputs === 'all' ? [...(await daemon.derivations.read(derivation, signal)).outputs.keys()] : outputs;
  return names.map((output) => ({ derivation, output }));
}
