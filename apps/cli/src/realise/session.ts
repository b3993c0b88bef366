/** One command's work in a store: goals in texts, outcomes as plain data. */
import type { StoreIO } from '@neve/eval-store/node';
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import {
  type BuildMode,
  type OutputOf,
  RealiseError,
  type Realiser,
  planRealisation,
  type RealisationPlan,
} from '@neve/realise';
import type { PathInfo } from '@neve/store';
import { addIndirectRoot } from '@neve/store/node';
import { write } from '../output.ts';
import type { OpenStore } from '../store/open-store.ts';
import { formatBytes } from '../store/progress.ts';
import type { StoreState } from '../store/store-state.ts';
import { exitCodeOf } from './exit-code.ts';
import { guarded, isExpectedFailure } from './expected-failure.ts';
import type { BuildGoal, FailedGoal, GoalOutcome, RealiseSession } from './realise-session.ts';

export type SessionParts = {
  readonly store: OpenStore;
  readonly state: StoreState;
  readonly storeDirectory: StoreDirectory;
  readonly realiser: Realiser;
  readonly io: StoreIO;
  readonly keepGoing: boolean;
  /** Ends all work that is under way. */
  readonly abort: (reason: unknown) => void;
  /** What else must be closed, in this order. */
  readonly owned: readonly AsyncDisposable[];
};

export class Session implements RealiseSession {
  readonly io: StoreIO;
  readonly #parts: SessionParts;
  readonly #shown = new Set<Error>();

  constructor(parts: SessionParts) {
    this.io = parts.io;
    this.#parts = parts;
  }

  async realise(
    goals: readonly BuildGoal[],
    { check }: { readonly check: boolean },
  ): Promise<readonly GoalOutcome[]> {
    const mode: BuildMode = check ? 'check' : 'build';
    return await Promise.all(goals.map((goal) => this.#outcome(goal, mode)));
  }

  showPlan(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void> {
    return guarded(() => this.#showPlan(goals, options));
  }

  async #showPlan(goals: readonly BuildGoal[], { json }: { readonly json: boolean }): Promise<void> {
    const { realiser, storeDirectory } = this.#parts;
    const wanted: (OutputOf | StorePath)[] = [];
    for (const goal of goals) {
      if (goal.kind === 'path') wanted.push(storeDirectory.parse(goal.storePath));
      else wanted.push(...(await this.#outputsOf(goal)));
    }
    const plan = await planRealisation(wanted, realiser.decisions);
    if (json) write(1, `${JSON.stringify(this.#planJson(plan))}\n`);
    else write(2, this.#planText(plan));
  }

  link(storePath: string, link: string): Promise<void> {
    return guarded(() => this.#link(storePath, link));
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const it of this.#parts.owned) await it[Symbol.asyncDispose]();
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
    if (error instanceof RealiseError && error.code === 'failed-dependency' && error.cause instanceof Error) {
      this.#show(error.cause);
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
    const outputs = await realiser.outputs(drvPath, goal.outputs);
    if (mode === 'check') await realiser.check(drvPath);
    return new Map(
      Array.from(outputs, ([name, it]: [string, PathInfo]) => [name, storeDirectory.print(it.storePath)]),
    );
  }

  async #outputsOf({
    drvPath,
    outputs,
  }: Extract<BuildGoal, { readonly kind: 'outputs' }>): Promise<OutputOf[]> {
    const derivation = this.#parts.storeDirectory.parse(drvPath);
    const names =
      outputs ?? (await this.#parts.realiser.decisions.derivation(derivation))?.outputs.keys() ?? [];
    return Array.from(names, (output) => ({ derivation, output }));
  }

  #planText({ builds, substitutions, fetches, unknown }: RealisationPlan): string {
    const print = (path: StorePath): string => `  ${this.#parts.storeDirectory.print(path)}\n`;
    const lines: string[] = [];
    if (builds.length > 0) {
      const what = builds.length === 1 ? 'this derivation' : `these ${builds.length} derivations`;
      lines.push(`${what} will be built:\n`, ...builds.map((it) => print(it.derivation)));
    }
    if (substitutions.length + fetches.length > 0) {
      const count = substitutions.length + fetches.length;
      const download = formatBytes(sum(substitutions.map((it) => it.downloadSize ?? 0)));
      const unpacked = formatBytes(sum(substitutions.map((it) => it.narSize)));
      const what = count === 1 ? 'this path' : `these ${count} paths`;
      lines.push(
        `${what} will be fetched (${download} download, ${unpacked} unpacked):\n`,
        ...[...substitutions.map((it) => it.storePath), ...fetches].map(print),
      );
    }
    if (unknown.length > 0) lines.push("don't know how to build these paths:\n", ...unknown.map(print));
    return lines.join('');
  }

  #planJson({ builds, substitutions, fetches, unknown }: RealisationPlan): unknown {
    const print = (path: StorePath): string => this.#parts.storeDirectory.print(path);
    return {
      builds: builds.map(({ derivation, neededBy }) => ({
        derivation: print(derivation),
        neededBy: neededBy === undefined ? null : print(neededBy),
      })),
      substitutions: substitutions.map(({ storePath, from, narSize, downloadSize }) => ({
        path: print(storePath),
        from,
        narSize,
        downloadSize: downloadSize ?? null,
      })),
      fetches: fetches.map(print),
      unknown: unknown.map(print),
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}

/** Further lines of a message stand below its first. */
function indented(message: string): string {
  return message.replaceAll('\n', '\n       ');
}
