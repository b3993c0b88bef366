/** One command's work in a store: goals in texts, outcomes as plain data. */
import type { StoreIO } from '@neve/eval-store/node';
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import {
  type BuildMode,
  type OutputOf,
  RealiseError,
  type Realiser,
  explainRealisation,
  planRealisation,
} from '@neve/realise';
import type { BuildLogs } from '@neve/realise/node';
import { type PathInfo, requirePathClosure } from '@neve/store';
import { addIndirectRoot } from '@neve/store/node';
import { renderDiagnostic } from '@neve/diagnostics';
import type { Caller } from '../caller.ts';
import type { OpenStore } from '../store/open-store.ts';
import type { StoreState } from '../store/store-state.ts';
import { drawChain, referenceChain } from './why-depends.ts';
import { explanationJson, explanationText } from './explanation.ts';
import type { Interruption } from '../interruption.ts';
import { exitCodeOf } from './exit-code.ts';
import { planJson, planText } from './plan-text.ts';
import { isExpectedFailure } from './expected-failure.ts';
import { programFolders } from './program-folders.ts';
import { type ProgramToRun, runProgram } from './run-program.ts';
import { type FailedGoal, type GoalOutcome, type TaskWork, performTask } from './perform-task.ts';
import type {
  BuildGoal,
  EvaluationFailure,
  JobSession,
  MissingPaths,
  RealiseTask,
} from './realise-session.ts';

export type SessionParts = {
  readonly caller: Caller;
  readonly store: OpenStore;
  readonly state: StoreState;
  readonly storeDirectory: StoreDirectory;
  readonly realiser: Realiser;
  readonly makeIO: (around: <T>(work: () => Promise<T>) => Promise<T>) => StoreIO;
  readonly logs: BuildLogs;
  readonly keepGoing: boolean;
  /** What will be done is told before it is. */
  readonly tellsPlan: boolean;
  /** Ends all work that is under way. */
  readonly abort: (reason: Error) => void;
  /** What else must be closed, in this order, when nothing is under way. */
  readonly owned: readonly AsyncDisposable[];
  /** Is given the end of builds that others still wait for. */
  readonly outlive: ((ending: Promise<void>) => void) | undefined;
};

export class Session implements JobSession, TaskWork {
  readonly io: StoreIO;
  readonly #parts: SessionParts;
  readonly #shown = new Set<Error>();
  /** Evaluation ends with the first that it cannot do without, and does not tell which. */
  readonly #failuresOfEvaluation: Error[] = [];
  #interruption: Interruption | undefined;
  #program: ProgramToRun | undefined;
  #waiting = 0;
  #watch: Disposable | undefined;
  #showsFailures = false;
  #closed: Promise<void> | undefined;

  constructor(parts: SessionParts) {
    this.io = parts.makeIO((work) => this.#forEvaluation(work));
    this.#parts = parts;
  }

  async perform(task: RealiseTask): Promise<number> {
    const { caller } = this.#parts;
    try {
      const exitCode = await this.#interruptibly(() => performTask(task, { work: this, caller }));
      const program = this.#program;
      this.#program = undefined;
      // From here on signals are for the program.
      return program === undefined ? exitCode : await runProgram(program);
    } catch (error) {
      if (this.#interruption !== undefined) {
        caller.write(2, `error: ${this.#interruption.message}\n`);
        return this.#interruption.exitCode;
      }
      if (!isExpectedFailure(error)) throw error;
      const diagnostic = { kind: 'error', message: error.message, traces: [], suggestions: [] } as const;
      caller.write(
        2,
        `${renderDiagnostic(diagnostic, { colour: caller.wantsColour(), link: caller.sourceLink })}\n`,
      );
      return 1;
    }
  }

  async realise(
    goals: readonly BuildGoal[],
    { check }: { readonly check: boolean },
  ): Promise<readonly GoalOutcome[]> {
    const mode: BuildMode = check ? 'check' : 'build';
    const { caller, tellsPlan } = this.#parts;
    if (tellsPlan && mode === 'build') await this.#tellPlan(goals);
    caller.report({ kind: 'work-started' });
    try {
      return await this.#realise(goals, mode);
    } finally {
      caller.report({ kind: 'work-ended' });
    }
  }

  async #realise(goals: readonly BuildGoal[], mode: BuildMode): Promise<readonly GoalOutcome[]> {
    this.#showsFailures = true;
    const outcomes = await Promise.all(goals.map((goal) => this.#outcome(goal, mode)));
    this.#showsFailures = false;
    const failed = outcomes.flatMap(({ kind, goal }) => (kind === 'failed' ? [`'${titleOf(goal)}'`] : []));
    const unique = [...new Set(failed)];
    if (unique.length > 1) {
      this.#tellFailure(`error: build of ${unique.sort().join(', ')} failed\n`);
    }
    return outcomes;
  }

  /** A build has failed that others may go on without. What evaluation waited for is told with where it did. */
  showFailure(error: Error): void {
    if (this.#showsFailures && isExpectedFailure(error)) this.#show(error);
  }

  async showPlan(goals: readonly BuildGoal[], { json }: { readonly json: boolean }): Promise<void> {
    const { realiser, storeDirectory, caller } = this.#parts;
    const wanted = await Promise.all(goals.map((goal) => this.#wanted(goal)));
    const plan = await planRealisation(wanted.flat(), realiser.decisions);
    if (json) caller.write(1, `${JSON.stringify(planJson(plan, storeDirectory))}\n`);
    else caller.write(2, planText(plan, storeDirectory));
  }

  async add(storePaths: readonly string[]): Promise<void> {
    const { realiser, storeDirectory } = this.#parts;
    const paths = storePaths.map((it) => storeDirectory.parse(it));
    await this.#interruptibly(() => Promise.all(paths.map((it) => realiser.path(it))));
  }

  async areThere(goals: readonly BuildGoal[]): Promise<boolean> {
    const { realiser, store } = this.#parts;
    try {
      const wanted = await Promise.all(goals.map((goal) => this.#wanted(goal)));
      for (const it of wanted.flat()) {
        const path = 'derivation' in it ? await realiser.decisions.pathOf(it) : it;
        if (path === undefined || !(await store.pathInfos.has(path.hashPart))) return false;
      }
      return wanted.every((it) => it.length > 0);
    } catch (error) {
      // Whoever makes them says what is wrong.
      if (!isExpectedFailure(error)) throw error;
      return false;
    }
  }

  async missing(goals: readonly BuildGoal[]): Promise<MissingPaths> {
    const { realiser, storeDirectory } = this.#parts;
    const wanted = await Promise.all(goals.map((goal) => this.#wanted(goal)));
    const plan = await planRealisation(wanted.flat(), realiser.decisions);
    const print = (path: StorePath): string => storeDirectory.print(path);
    return {
      builds: plan.builds.map(({ derivation }) => print(derivation)),
      substitutes: [...plan.substitutions.map(({ storePath }) => storePath), ...plan.fetches].map(print),
      unknown: plan.unknown.map(print),
    };
  }

  async explain(goals: readonly BuildGoal[], { json }: { readonly json: boolean }): Promise<void> {
    const { realiser, storeDirectory, caller } = this.#parts;
    for (const goal of goals) {
      for (const wanted of await this.#wanted(goal)) {
        const explanation = await explainRealisation(wanted, realiser.decisions);
        caller.write(
          1,
          json
            ? `${JSON.stringify(explanationJson(explanation, storeDirectory))}\n`
            : explanationText(explanation, storeDirectory),
        );
      }
    }
  }

  async showLog(goal: BuildGoal): Promise<boolean> {
    const { caller, logs, storeDirectory } = this.#parts;
    const path = titleOf(goal);
    const derivation = await this.#derivationOf(storeDirectory.parse(path));
    const log = derivation === undefined ? undefined : await logs.read(derivation);
    if (log === undefined) {
      caller.write(2, `error: build log of '${path}' is not available\n`);
      return false;
    }
    for await (const bytes of log) caller.write(1, bytes);
    return true;
  }

  // oxlint-disable-next-line eslint/max-params -- two ends and how to print
  async showWhyDepends(from: BuildGoal, to: BuildGoal, { json }: { readonly json: boolean }): Promise<void> {
    const { store, storeDirectory, caller } = this.#parts;
    const print = (it: StorePath): string => storeDirectory.print(it);
    const [start, end] = [await this.#pathOf(from), await this.#pathOf(to)];
    const chain = await referenceChain(start, end, store.pathInfos);
    if (json) caller.write(1, `${JSON.stringify(chain?.map(print) ?? null)}\n`);
    else if (chain !== undefined) caller.write(1, drawChain(chain, storeDirectory));
    // As for Nix, that is an answer, and no failure.
    else caller.write(2, `'${print(start)}' does not depend on '${print(end)}'\n`);
  }

  async link(storePath: string, link: string): Promise<void> {
    const { store, state, storeDirectory } = this.#parts;
    const path = storeDirectory.parse(storePath);
    const pathInfo = await store.pathInfos.get(path.hashPart);
    if (pathInfo === undefined) throw new RealiseError('not-found', `'${storePath}' is not in the store`);
    const target = await state.view(store).show(path, pathInfo.node);
    await addIndirectRoot(path, { folder: state.rootsFolder, store: storeDirectory, link, target });
  }

  async prepareProgram(
    storePaths: readonly string[],
    { command, environment }: Pick<ProgramToRun, 'command' | 'environment'>,
  ): Promise<void> {
    const { caller, store, state, storeDirectory } = this.#parts;
    const closure = await requirePathClosure(
      storePaths.map((it) => storeDirectory.parse(it)),
      store,
    );
    const view = state.view(store);
    await Promise.all(closure.map(({ storePath, node }) => view.show(storePath, node)));
    const shown = (path: string): string => view.path(storeDirectory.parse(path));
    const PATH = [...programFolders(storePaths, shown), environment['PATH'] ?? ''].filter((it) => it !== '');
    this.#program = {
      command,
      environment: { ...environment, PATH: PATH.join(':') },
      directory: caller.directory,
      storeDir: storeDirectory.path,
      viewFolder: state.viewFolder,
    };
  }

  exitCode(failures: readonly FailedGoal[]): number {
    return exitCodeOf(failures.map(({ error }) => error));
  }

  async evaluationFailure(): Promise<EvaluationFailure> {
    return { interruption: this.#interruption, exitCode: exitCodeOf(this.#failuresOfEvaluation) || 1 };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#parts.abort(new RealiseError('failed', 'nobody waits for it any more'));
    const { realiser, owned, outlive } = this.#parts;
    await realiser.settled();
    const close = async (): Promise<void> => {
      await realiser.ended();
      for (const it of owned) await it[Symbol.asyncDispose]();
    };
    if (outlive === undefined) await close();
    else outlive(close());
  }

  async #forEvaluation<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#interruptibly(work);
    } catch (error) {
      if (error instanceof Error) this.#failuresOfEvaluation.push(error);
      throw error;
    }
  }

  /**
   * While something is under way, a signal ends it in good order. Otherwise it ends the process, since an evaluation does not
   * let anybody else run.
   */
  async #interruptibly<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) {
      this.#watch = this.#parts.caller.watchInterruptions((interruption) => {
        this.#interruption = interruption;
        this.#parts.abort(interruption);
      });
    }
    try {
      return await work();
    } finally {
      if (--this.#waiting === 0) this.#watch?.[Symbol.dispose]();
    }
  }

  async #outcome(goal: BuildGoal, mode: BuildMode): Promise<GoalOutcome> {
    try {
      return { kind: 'done', goal, outputs: await this.#make(goal, mode) };
    } catch (error) {
      if (!isExpectedFailure(error)) throw error;
      this.#show(error);
      if (!this.#parts.keepGoing) this.#parts.abort(error);
      return { kind: 'failed', goal, error };
    }
  }

  /** What failed first comes first, and once. */
  #show(error: Error): void {
    if (this.#shown.has(error)) return;
    this.#shown.add(error);
    if (error instanceof RealiseError) {
      for (const failure of error.failures) this.#show(failure);
      // What has failed instead was shown.
      if (error.code === 'given-up') return;
    }
    this.#tellFailure(`error: ${indented(error.message)}\n`);
  }

  #tellFailure(text: string): void {
    this.#parts.caller.report({ kind: 'failure', detail: text });
  }

  /** What cannot be planned fails when it is made. */
  async #tellPlan(goals: readonly BuildGoal[]): Promise<void> {
    const { realiser, storeDirectory, caller } = this.#parts;
    try {
      const wanted = await Promise.all(goals.map((goal) => this.#wanted(goal)));
      const plan = await planRealisation(wanted.flat(), realiser.decisions);
      const text = planText(plan, storeDirectory);
      caller.report({ kind: 'plan', detail: text });
    } catch (error) {
      if (!isExpectedFailure(error)) throw error;
    }
  }

  async #make(goal: BuildGoal, mode: BuildMode): Promise<ReadonlyMap<string, string>> {
    const { realiser, storeDirectory } = this.#parts;
    if (goal.kind === 'path') {
      const { storePath } = await realiser.path(storeDirectory.parse(goal.storePath));
      return new Map([['out', storeDirectory.print(storePath)]]);
    }
    const drvPath = storeDirectory.parse(goal.drvPath);
    if (mode === 'check') await realiser.check(drvPath);
    const outputs = await realiser.outputs(drvPath, goal.outputs);
    return new Map(
      Array.from(outputs, ([name, it]: [string, PathInfo]) => [name, storeDirectory.print(it.storePath)]),
    );
  }

  async #wanted(goal: BuildGoal): Promise<readonly (OutputOf | StorePath)[]> {
    const { realiser, storeDirectory } = this.#parts;
    if (goal.kind === 'path') return [storeDirectory.parse(goal.storePath)];
    const derivation = storeDirectory.parse(goal.drvPath);
    const names = goal.outputs ?? (await realiser.decisions.derivation(derivation))?.outputs.keys() ?? [];
    return Array.from(names, (output) => ({ derivation, output }));
  }

  /** The path of the first output, which must be there. */
  async #pathOf(goal: BuildGoal): Promise<StorePath> {
    const { realiser, store } = this.#parts;
    const [first] = await this.#wanted(goal);
    const path =
      first !== undefined && 'derivation' in first ? await realiser.decisions.pathOf(first) : first;
    if (path !== undefined && (await store.pathInfos.has(path.hashPart))) return path;
    throw new RealiseError('not-found', `what '${titleOf(goal)}' makes is not in the store; build it before`);
  }

  /** Of a derivation itself, or of what it made. */
  async #derivationOf(path: StorePath): Promise<StorePath | undefined> {
    if (path.isDerivation) return path;
    const { store, realiser } = this.#parts;
    return (
      (await store.pathInfos.get(path.hashPart))?.deriver ?? realiser.decisions.outputOf(path)?.derivation
    );
  }
}

function titleOf(goal: BuildGoal): string {
  return goal.kind === 'path' ? goal.storePath : goal.drvPath;
}

/** Further lines of a message stand below its first. */
function indented(message: string): string {
  return message.replaceAll('\n', '\n       ');
}
