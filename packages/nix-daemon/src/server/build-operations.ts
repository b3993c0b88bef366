/** Building and substituting. */
import {
  type BuildResult,
  type DerivedPath,
  type StorePath,
  derivationPath,
  derivationReferences,
  derivationType,
  printDerivation,
} from '@neve/nix-compat';
import type { KeyedBuildResult, WorkerRequests } from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { addContents } from './add-to-store.ts';
import { type BuildGoal, buildGoal } from './build-goals.ts';
import { buildResult, builtOutputs, keyedBuildResult } from './build-results.ts';
import { type Call, type Handlers, requireTrust } from './call.ts';
import { mapInOrder } from './map-in-order.ts';
import {
  type GoalMode,
  type GoalOutcome,
  realiseGoals,
  requireSuccess,
  tellDependencies,
} from './realise-goals.ts';

export const buildOperations: Handlers<
  'buildPaths' | 'buildPathsWithResults' | 'buildDerivation' | 'ensurePath'
> = {
  async buildPaths(request, call) {
    requireSuccess(await build(request, call), call);
    return undefined;
  },
  async buildPathsWithResults(request, call): Promise<readonly KeyedBuildResult[]> {
    const outcomes = await build(request, call);
    tellDependencies(outcomes, call);
    return await mapInOrder(
      request.paths.map((path, index) => ({ path, index })),
      ({ path, index }) =>
        // There is one for each.
        keyedBuildResult(path, outcomes[index] as GoalOutcome, call),
    );
  },
  buildDerivation,
  async ensurePath({ path }, call) {
    requireSuccess(await realiseGoals([{ kind: 'path', path }], { mode: 'build' }, call), call);
    return undefined;
  },
};

async function build(
  {
    paths,
    mode,
  }: { readonly paths: readonly DerivedPath[]; readonly mode: WorkerRequests['buildPaths']['mode'] },
  call: Call,
): Promise<readonly GoalOutcome[]> {
  const goals = paths.map((it) => buildGoal(it, call.daemon));
  return await realiseGoals(goals, { mode: realiseMode(mode, call) }, call);
}

function realiseMode(mode: WorkerRequests['buildPaths']['mode'], call: Call): GoalMode {
  if (mode !== 'repair') return mode === 'check' ? 'check' : 'build';
  requireTrust(call, "repairing is not allowed because you are not in 'trusted-users'");
  return mode;
}

/**
 * The paths of input-addressed outputs follow from derivations that the daemon does not see, so that only trusted clients may
 * ask for these. For others the derivation is added, at the path that follows from it.
 */
async function buildDerivation(
  { drvPath, derivation, mode }: WorkerRequests['buildDerivation'],
  call: Call,
): Promise<BuildResult> {
  const { daemon, isTrusted, signal } = call;
  const type = derivationType(derivation);
  if (!isTrusted && type !== 'fixed' && type !== 'floating') {
    throw new NixDaemonError('not-privileged', 'you are not privileged to build input-addressed derivations');
  }
  const contents = printDerivation(derivation, daemon.storeDirectory);
  const storePath: StorePath = isTrusted
    ? drvPath
    : derivationPath(derivation, { store: daemon.storeDirectory, hashes: daemon.hashes });
  if (!isTrusted) {
    const references = derivationReferences(derivation);
    const { name } = storePath;
    await call.roots.add(storePath);
    await addContents(
      oneOf(contents),
      { name, method: 'text', algorithm: 'sha256', references, form: 'file' },
      { services: daemon, signal },
    );
  }
  const goal: BuildGoal = { kind: 'outputs', drvPath: storePath, outputs: 'all' };
  const described = { storePath, contents };
  const [outcome] = await realiseGoals([goal], { mode: realiseMode(mode, call), described }, call);
  if (outcome === undefined) throw new Error('a goal has an outcome');
  if (outcome.kind === 'failed') return buildResult(outcome, new Map());
  return buildResult(outcome, await builtOutputs(outcome, derivation, call));
}

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
