/**
 * `neve build`: evaluates to derivations, or takes what is given as store paths, and makes their outputs be there. What it
 * prints and which links it makes is as `nix-build` has it, the logs are as `nix build` shows them.
 */
import { resolve } from 'node:path';
import type { Evaluator, Source } from '@neve/eval';
import { functionArguments } from './evaluation-session.ts';
import type { EvaluatingCommand } from './option-table.ts';
import { write } from './output.ts';
import type { EvaluateArguments } from './parse-arguments.ts';
import type { BuildGoal, GoalOutcome, RealiseSession } from './realise/realise-session.ts';
import { UsageError } from './usage-error.ts';

export type BuildingCommand = Exclude<EvaluatingCommand, 'eval' | 'instantiate'>;

export type BuildInput = {
  readonly evaluator: Evaluator;
  readonly loadStore: () => Promise<void>;
  readonly session: () => Promise<RealiseSession>;
  readonly args: EvaluateArguments;
  readonly sources: readonly Source[];
  readonly attributePaths: readonly string[];
  /** Store paths that were given as they are. */
  readonly paths: readonly string[];
};

/** `neve build`, and the commands that only look at what it would do or has done. Gives the exit code. */
export async function runBuildCommand(command: BuildingCommand, input: BuildInput): Promise<number> {
  const { args, loadStore, session } = input;
  const goals = [...input.paths.map(goalOfPath), ...(await goalsOfSources(input))];
  await loadStore();
  const realising = await session();
  switch (command) {
    case 'build':
      return await build(goals, { args, realising });
    case 'explain':
      await realising.explain(goals, { json: args.has('json') });
      return 0;
    case 'log': {
      const found: boolean[] = [];
      for (const goal of goals) found.push(await realising.showLog(goal));
      return found.every((it) => it) ? 0 : 1;
    }
    case 'why-depends': {
      const [from, to, more] = goals;
      if (from === undefined || to === undefined || more !== undefined) {
        throw new UsageError('two things are wanted: the one that depends, and what it depends on');
      }
      await realising.showWhyDepends(from, to, { json: args.has('json') });
      return 0;
    }
  }
}

async function build(goals: readonly BuildGoal[], { args, realising }: LinkContext): Promise<number> {
  if (args.has('dryRun')) {
    await realising.showPlan(goals, { json: args.has('json') });
    return 0;
  }
  const outcomes = await realising.realise(goals, { check: args.has('check') });
  // As in Nix, what went well is neither linked nor printed when something else has failed.
  const failures = outcomes.filter((it) => it.kind === 'failed');
  if (failures.length > 0) return realising.exitCode(failures);
  const made = outcomes.filter((it) => it.kind === 'done');
  if (!args.has('noLink')) await makeLinks(made, { args, realising });
  printOutcomes(made, args);
  return 0;
}

/** `/nix/store/….drv^out,dev`, `/nix/store/….drv!out`, or a path that is wanted as it is. */
function goalOfPath(text: string): BuildGoal {
  const match = /^(.*\.drv)[\^!](.+)$/.exec(text);
  const [, drvPath, outputs] = match ?? [];
  if (drvPath !== undefined && outputs !== undefined) {
    return { kind: 'outputs', drvPath, outputs: outputs === '*' ? undefined : outputs.split(',') };
  }
  return text.endsWith('.drv')
    ? { kind: 'outputs', drvPath: text, outputs: undefined }
    : { kind: 'path', storePath: text };
}

async function goalsOfSources({
  evaluator,
  args,
  sources,
  attributePaths,
}: BuildInput): Promise<BuildGoal[]> {
  const goals: BuildGoal[] = [];
  const functionArgs = await functionArguments(evaluator, args);
  for (const source of sources) {
    const root = await evaluator.evaluate(await evaluator.parse(source));
    for (const path of attributePaths.length > 0 ? attributePaths : ['']) {
      const value = await evaluator.select(root, { path, args: functionArgs });
      for (const { drvPath, outputName } of await evaluator.derivations(value, functionArgs)) {
        goals.push({ kind: 'outputs', drvPath, outputs: [outputName] });
      }
    }
  }
  return goals;
}

type MadeGoal = Extract<GoalOutcome, { readonly kind: 'done' }>;

type LinkContext = { readonly args: EvaluateArguments; readonly realising: RealiseSession };

/** `result`, `result-dev`, and for the second derivation `result-2`, `result-2-dev`. */
async function makeLinks(outcomes: readonly MadeGoal[], { args, realising }: LinkContext): Promise<void> {
  const link = resolve(args.last('outLink') ?? 'result');
  const derivations: string[] = [];
  for (const outcome of outcomes) {
    const title = outcome.goal.kind === 'path' ? outcome.goal.storePath : outcome.goal.drvPath;
    const index = derivations.includes(title) ? derivations.indexOf(title) : derivations.push(title) - 1;
    const numbered = index === 0 ? link : `${link}-${index + 1}`;
    for (const [output, storePath] of outcome.outputs) {
      await realising.link(storePath, output === 'out' ? numbered : `${numbered}-${output}`);
    }
  }
}

/** The JSON is that of `nix build`. */
function printOutcomes(outcomes: readonly MadeGoal[], args: EvaluateArguments): void {
  if (!args.has('json')) {
    for (const { outputs } of outcomes) {
      for (const storePath of outputs.values()) write(1, `${storePath}\n`);
    }
    return;
  }
  const rows = outcomes.map(({ goal, outputs }) =>
    goal.kind === 'path' ? goal.storePath : { drvPath: goal.drvPath, outputs: Object.fromEntries(outputs) },
  );
  write(1, `${JSON.stringify(rows)}\n`);
}
