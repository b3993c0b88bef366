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
import type { PathInfo } from '@neve/store';
import { addIndirectRoot } from '@neve/store/node';
import { write } from '../output.ts';
import type { OpenStore } from '../store/open-store.ts';
import type { StoreState } from '../store/store-state.ts';
import { drawChain, referenceChain } from './why-depends.ts';
import { explanationJson, explanationText } from './explanation.ts';
import { type Interruption, watchInterruptions } from '../interruption.ts';
import { exitCodeOf } from './exit-code.ts';
import { planJson, planText } from './plan-text.ts';
import { guarded, isExpectedFailure } from './expected-failure.ts';
import type { BuildGoal, FailedGoal, GoalOutcome, RealiseSession } from './realise-session.ts';

export type SessionParts = {
  readonly store: OpenStore;
  readonly state: StoreState;
  readonly storeDirectory: StoreDirectory;
  readonly realiser: Realiser;
  readonly makeIO: (around: <T>(work: () => Promise<T>) => Promise<T>) => StoreIO;
  readonly logs: BuildLogs;
  readonly keepGoing: boolean;
  /** Ends all work that is under way. */
  readonly abort: (reason: Error) => void;
  /** What else must be closed, in this order, when nothing is under way. */
  readonly owned: readonly AsyncDisposable[];
};

export class Session implements RealiseSession {
  readonly io: StoreIO;
  readonly #parts: SessionParts;
  readonly #shown = new Set<Error>();
  /** Evaluation ends with the first that it cannot do without, and does not tell which. */
  readonly #failuresOfEvaluation: Error[] = [];
  #interruption: Interruption | undefined;
  #waiting = 0;
  #watch: Disposable | undefined;
  #showsFailures = false;

  constructor(parts: SessionParts) {
    this.io = parts.makeIO((work) => this.#forEvaluation(work));
    this.#parts = parts;
  }

  async realise(
    goals: readonly BuildGoal[],
    { check }: { readonly check: boolean },
  ): Promise<readonly GoalOutcome[]> {
    const mode: BuildMode = check ? 'check' : 'build';
    this.#showsFailures = true;
    const outcomes = await this.#interruptibly(() =>
      Promise.all(goals.map((goal) => this.#outcome(goal, mode))),
    );
    this.#showsFailures = false;
    const failed = outcomes.flatMap(({ kind, goal }) => (kind === 'failed' ? [`'${titleOf(goal)}'`] : []));
    const unique = [...new Set(failed)];
    if (unique.length > 1) {
      write(2, `error: build of ${unique.sort().join(', ')} failed\n`);
    }
    return outcomes;
  }

  /** A build has failed that others may go on without. What evaluation waited for is told with where it did. */
  showFailure(error: Error): void {
    if (this.#showsFailures && isExpectedFailure(error)) this.#show(error);
  }

  showPlan(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void> {
    return this.#guarded(() => this.#showPlan(goals, options));
  }

  async #showPlan(goals: readonly BuildGoal[], { json }: { readonly json: boolean }): Promise<void> {
    const { realiser, storeDirectory } = this.#parts;
    const wanted = await Promise.all(goals.map((goal) => this.#wanted(goal)));
    const plan = await planRealisation(wanted.flat(), realiser.decisions);
    if (json) write(1, `${JSON.stringify(planJson(plan, storeDirectory))}\n`);
    else write(2, planText(plan, storeDirectory));
  }

  explain(goals: readonly BuildGoal[], { json }: { readonly json: boolean }): Promise<void> {
    const { realiser, storeDirectory } = this.#parts;
    return this.#guarded(async () => {
      for (const goal of goals) {
        for (const wanted of await this.#wanted(goal)) {
          const explanation = await explainRealisation(wanted, realiser.decisions);
          write(
            1,
            json
              ? `${JSON.stringify(explanationJson(explanation, storeDirectory))}\n`
              : explanationText(explanation, storeDirectory),
          );
        }
      }
    });
  }

  showLog(goal: BuildGoal): Promise<boolean> {
    return this.#guarded(async () => {
      const path = titleOf(goal);
      const derivation = await this.#derivationOf(this.#parts.storeDirectory.parse(path));
      const log = derivation === undefined ? undefined : await this.#parts.logs.read(derivation);
      if (log === undefined) {
        write(2, `error: build log of '${path}' is not available\n`);
        return false;
      }
      for await (const bytes of log) write(1, bytes);
      return true;
    });
  }

  // oxlint-disable-next-line eslint/max-params -- two ends and how to print
  showWhyDepends(from: BuildGoal, to: BuildGoal, { json }: { readonly json: boolean }): Promise<void> {
    const { store, storeDirectory } = this.#parts;
    return this.#guarded(async () => {
      const [start, end] = [await this.#pathOf(from), await this.#pathOf(to)];
      const chain = await referenceChain(start, end, store.pathInfos);
      if (json) write(1, `${JSON.stringify(chain?.map((it) => storeDirectory.print(it)) ?? null)}\n`);
      else if (chain !== undefined) write(1, drawChain(chain, storeDirectory));
      // As for Nix, that is an answer, and no failure.
      else write(2, `'${storeDirectory.print(start)}' does not depend on '${storeDirectory.print(end)}'\n`);
    });
  }

  link(storePath: string, link: string): Promise<void> {
    return this.#guarded(() => this.#link(storePath, link));
  }

  async #link(storePath: string, link: string): Promise<void> {
    const { store, state, storeDirectory } = this.#parts;
    const path = storeDirectory.parse(storePath);
    const pathInfo = await store.pathInfos.get(path.hashPart);
    if (pathInfo === undefined) throw new RealiseError('not-found', `'${storePath}' is not in the store`);
    const target = await state.view(store).show(path, pathInfo.node);
    await addIndirectRoot(path, { folder: state.rootsFolder, store: storeDirectory, link, target });
  }

  exitCode(failures: readonly FailedGoal[]): number {
    return exitCodeOf(failures.map(({ error }) => error));
  }

  get interruption(): Interruption | undefined {
    return this.#interruption;
  }

  exitCodeOfEvaluation(): number {
    return exitCodeOf(this.#failuresOfEvaluation) || 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parts.abort(new RealiseError('failed', 'nobody waits for it any more'));
    await this.#parts.realiser.settled();
    for (const it of this.#parts.owned) await it[Symbol.asyncDispose]();
  }

  /** Throws `CommandFailure` for what the world or the input is to blame for. */
  #guarded<T>(work: () => Promise<T>): Promise<T> {
    return guarded(() => this.#interruptibly(work));
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
      this.#watch = watchInterruptions((interruption) => {
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
    write(2, `error: ${indented(error.message)}\n`);
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
