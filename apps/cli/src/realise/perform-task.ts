/**
 * What `neve build` and the commands that only look at derivations do when they know which. What is printed and which links
 * are made is as `nix-build` has it, the logs are as `nix build` shows them.
 */
import type { Caller } from '../caller.ts';
import type { BuildGoal, RealiseTask } from './realise-session.ts';

export type GoalOutcome =
  | {
      readonly kind: 'done';
      readonly goal: BuildGoal;
      /** By output; a path counts as `out`. */
      readonly outputs: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'failed'; readonly goal: BuildGoal; readonly error: Error };

export type FailedGoal = Extract<GoalOutcome, { readonly kind: 'failed' }>;

/** What a session can do. It prints by itself. */
export interface TaskWork {
  /** In the order of the goals. Failures are shown as they happen and are among the outcomes. */
  realise(goals: readonly BuildGoal[], options: { readonly check: boolean }): Promise<readonly GoalOutcome[]>;
  showPlan(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void>;
  explain(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void>;
  /** False, and a message, when there is no log of it. */
  showLog(goal: BuildGoal): Promise<boolean>;
  showWhyDepends(from: BuildGoal, to: BuildGoal, options: { readonly json: boolean }): Promise<void>;
  /** Makes a symbolic link to the files of a store path, and a root of garbage collection of it. */
  link(storePath: string, link: string): Promise<void>;
  /** Shows all that store paths need, for a program that is run with them when the work is done. */
  prepareProgram(
    storePaths: readonly string[],
    program: Pick<ShellTask, 'command' | 'environment'>,
  ): Promise<void>;
  /** As Nix has it: 100 for failures, and bits above it for timeouts, wrong hashes and outputs that differ. */
  exitCode(failures: readonly FailedGoal[]): number;
}

/** Gives the exit code. */
export async function performTask(
  task: RealiseTask,
  { work, caller }: { readonly work: TaskWork; readonly caller: Caller },
): Promise<number> {
  switch (task.kind) {
    case 'build':
      return await build(task, { work, caller });
    case 'shell':
      return await shell(task, work);
    case 'plan':
      await work.showPlan(task.goals, task);
      return 0;
    case 'explain':
      await work.explain(task.goals, task);
      return 0;
    case 'log': {
      const found: boolean[] = [];
      for (const goal of task.goals) found.push(await work.showLog(goal));
      return found.every((it) => it) ? 0 : 1;
    }
    case 'why-depends':
      await work.showWhyDepends(task.from, task.to, task);
      return 0;
  }
}

type BuildTask = Extract<RealiseTask, { readonly kind: 'build' }>;

async function build(
  { goals, check, link, json }: BuildTask,
  { work, caller }: { readonly work: TaskWork; readonly caller: Caller },
): Promise<number> {
  const outcomes = await work.realise(goals, { check });
  // As in Nix, what went well is neither linked nor printed when something else has failed.
  const failures = outcomes.filter((it) => it.kind === 'failed');
  if (failures.length > 0) return work.exitCode(failures);
  const made = outcomes.filter((it) => it.kind === 'done');
  if (link !== undefined) await makeLinks(made, { link, work });
  caller.write(1, json ? outcomesJson(made) : outcomesText(made));
  return 0;
}

type ShellTask = Extract<RealiseTask, { readonly kind: 'shell' }>;

async function shell({ goals, command, environment }: ShellTask, work: TaskWork): Promise<number> {
  const outcomes = await work.realise(goals, { check: false });
  const failures = outcomes.filter((it) => it.kind === 'failed');
  if (failures.length > 0) return work.exitCode(failures);
  const paths = outcomes.flatMap((it) => (it.kind === 'done' ? [...it.outputs.values()] : []));
  await work.prepareProgram([...new Set(paths)], { command, environment });
  return 0;
}

type MadeGoal = Extract<GoalOutcome, { readonly kind: 'done' }>;

/** `result`, `result-dev`, and for the second derivation `result-2`, `result-2-dev`. */
async function makeLinks(
  outcomes: readonly MadeGoal[],
  { link, work }: { readonly link: string; readonly work: TaskWork },
): Promise<void> {
  const derivations: string[] = [];
  for (const outcome of outcomes) {
    const title = outcome.goal.kind === 'path' ? outcome.goal.storePath : outcome.goal.drvPath;
    const index = derivations.includes(title) ? derivations.indexOf(title) : derivations.push(title) - 1;
    const numbered = index === 0 ? link : `${link}-${index + 1}`;
    for (const [output, storePath] of outcome.outputs) {
      await work.link(storePath, output === 'out' ? numbered : `${numbered}-${output}`);
    }
  }
}

function outcomesText(outcomes: readonly MadeGoal[]): string {
  return outcomes
    .flatMap(({ outputs }) => [...outputs.values()])
    .map((storePath) => `${storePath}\n`)
    .join('');
}

/** That of `nix build`. */
function outcomesJson(outcomes: readonly MadeGoal[]): string {
  const rows = outcomes.map(({ goal, outputs }) =>
    goal.kind === 'path' ? goal.storePath : { drvPath: goal.drvPath, outputs: Object.fromEntries(outputs) },
  );
  return `${JSON.stringify(rows)}\n`;
}
