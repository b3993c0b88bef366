/**
 * Mends what a look at the whole store has found: paths that are damaged are made anew, those that are missing are got, and
 * damaged objects that no path needs are removed.
 */
import { type StorePath, verbosity } from '@neve/nix-compat';
import { type Finding, removeDamage } from '@neve/store';
import type { BuildGoal } from './build-goals.ts';
import type { Call } from './call.ts';
import { type GoalOutcome, realiseGoals } from './realise-goals.ts';

/** Whether all is well then. What is not, is told. */
export async function repairFindings(findings: readonly Finding[], call: Call): Promise<boolean> {
  const { daemon, log, signal } = call;
  const damaged = new Set<string>();
  const wanted = new Map<string, StorePath>();
  let isWhole = true;
  for (const finding of findings) {
    if ('digest' in finding && finding.storePaths.length === 0) {
      await removeDamage([finding], daemon.store, signal);
      log.message(verbosity.info, `removed ${finding.kind} ${finding.digest.toString()}`);
      continue;
    }
    const storePaths = await brokenPaths(finding, call);
    // Of a path info that cannot be read nobody knows what it was.
    if (storePaths.length === 0) isWhole = false;
    for (const it of storePaths) {
      wanted.set(it.hashPart, it);
      // What is wrong with objects is seen when the path is looked at.
      if (finding.kind === 'path-info') damaged.add(it.hashPart);
    }
  }
  const failures = await repairAll([...wanted.values()], damaged, call);
  for (const { error } of failures) log.error(error.message);
  return isWhole && failures.length === 0;
}

type Failure = Extract<GoalOutcome, { readonly kind: 'failed' }>;

/** What some cannot be mended for may be mended for others that share it: as long as there are such, it is tried again. */
async function repairAll(
  paths: readonly StorePath[],
  damaged: ReadonlySet<string>,
  call: Call,
): Promise<readonly Failure[]> {
  let left: readonly BuildGoal[] = paths.map((path) => ({ kind: 'path', path }) as const);
  for (;;) {
    const outcomes = await realiseGoals(left, { mode: 'repair', damaged, keepGoing: true }, call);
    const failures = outcomes.filter((it): it is Failure => it.kind === 'failed');
    if (failures.length === 0 || failures.length === left.length) return failures;
    left = failures.map(({ goal }) => goal);
  }
}

/** Those that are to be made: the missing one, for a reference. */
async function brokenPaths(finding: Finding, { daemon, signal }: Call): Promise<readonly StorePath[]> {
  if (finding.kind !== 'reference') return finding.storePaths;
  const [referrer] = finding.storePaths;
  const pathInfo = referrer && (await daemon.store.pathInfos.get(referrer.hashPart, signal));
  return pathInfo?.references.filter(({ hashPart }) => hashPart === finding.hashPart) ?? [];
}
