/**
 * Does what a client asks to be built, and says how each goal went. What was made for it stays until the client has gone.
 *
 * Without `keep-going` the first failure ends everything that is done for this request.
 */
import { type Derivation, type StorePath, derivationType } from '@neve/nix-compat';
import { type BuildMode, type KnownPaths, RealiseError, type Realiser } from '@neve/realise';
import { type PathInfo, readPathClosure } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { BuildActivities } from './build-activities.ts';
import { type BuildGoal, goalName } from './build-goals.ts';
import { type Call, reveal } from './call.ts';
import { FailureTeller } from './failure-teller.ts';
import { mapInOrder } from './map-in-order.ts';
import { openRealiser } from './open-realiser.ts';
import { PathRepair } from './path-repair.ts';
import { findPathInfo } from './valid-paths.ts';

export type GoalOutcome =
  | {
      readonly kind: 'done';
      readonly goal: BuildGoal;
      readonly how: 'built' | 'substituted' | 'already-there';
      /** By output; a path counts as `out`. */
      readonly outputs: ReadonlyMap<string, PathInfo>;
      readonly startedMs: number;
      readonly endedMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly goal: BuildGoal;
      readonly error: Error;
      /** Something else had failed before, so that it was not tried or not ended. */
      readonly isGivenUp: boolean;
      readonly startedMs: number;
      readonly endedMs: number;
    };

/** `repair`: what is there is looked at, and made anew if it is damaged. */
export type GoalMode = BuildMode | 'repair';

export type RealiseGoalsOptions = {
  readonly mode: GoalMode;
  /** Hash parts of what is to be repaired whatever it looks like. */
  readonly damaged?: ReadonlySet<string> | undefined;
  /** Whatever the client wants. */
  readonly keepGoing?: boolean | undefined;
  /** A derivation that is in no store. */
  readonly described?: { readonly storePath: StorePath; readonly contents: Uint8Array } | undefined;
};

/** In the order of the goals. Throws the reason of the client's signal, and bugs. */
export async function realiseGoals(
  goals: readonly BuildGoal[],
  options: RealiseGoalsOptions,
  call: Call,
): Promise<readonly GoalOutcome[]> {
  const { daemon, roots, signal } = call;
  await roots.hold();
  const outcomes = await new GoalRun(goals, options, call).run();
  signal.throwIfAborted();
  const made = outcomes.flatMap((it) => (it.kind === 'done' ? [...it.outputs.values()] : []));
  for (const { storePath } of made) await roots.add(storePath);
  if (daemon.view !== undefined) {
    const closure = await readPathClosure(
      made.map(({ storePath }) => storePath),
      daemon.store,
      signal,
    );
    await mapInOrder(closure.pathInfos, (it) => reveal(it, call));
  }
  return outcomes;
}

/** As `realiseGoals`, for paths of which it does not matter whether they can be made. */
export async function realisePaths(paths: readonly StorePath[], call: Call): Promise<void> {
  const goals = paths.map((path) => ({ kind: 'path', path }) as const);
  await realiseGoals(goals, { mode: 'build' }, call);
}

/** Throws as Nix does: the error of the one goal that failed, or one that names all of them, which were told before. */
export function requireSuccess(outcomes: readonly GoalOutcome[], { daemon, log }: Call): void {
  const failed = outcomes.filter((it) => it.kind === 'failed');
  if (failed.length === 0) return;
  const real = failed.filter(({ isGivenUp }) => !isGivenUp);
  const teller = new FailureTeller(log);
  const [first = failed[0], second] = real;
  if (first !== undefined && second === undefined) {
    teller.tellNested(first.error);
    throw first.error;
  }
  for (const { error } of real) teller.tell(error);
  const names = [...new Set(real.map(({ goal }) => `'${goalName(goal, daemon)}'`))].sort();
  throw new NixDaemonError('invalid-request', `build of ${names.join(', ')} failed`);
}

/** Tells what failures of goals follow from; they themselves are told otherwise. */
export function tellDependencies(outcomes: readonly GoalOutcome[], { log }: Call): void {
  const teller = new FailureTeller(log);
  for (const it of outcomes) if (it.kind === 'failed' && !it.isGivenUp) teller.tellNested(it.error);
}

class GoalRun {
  readonly #goals: readonly BuildGoal[];
  readonly #mode: GoalMode;
  readonly #call: Call;
  readonly #keepGoing: boolean;
  readonly #repair: PathRepair | undefined;
  readonly #abortion: AbortController = new AbortController();
  readonly #signal: AbortSignal;
  readonly #activities: BuildActivities;
  readonly #writing: Disposable;
  readonly #realiser: Realiser;

  // oxlint-disable-next-line eslint/max-params -- what, how, and for whom
  constructor(goals: readonly BuildGoal[], options: RealiseGoalsOptions, call: Call) {
    const { mode, described, damaged, keepGoing = call.settings.options.keepGoing } = options;
    this.#goals = goals;
    this.#mode = mode;
    this.#call = call;
    this.#keepGoing = keepGoing;
    this.#signal = AbortSignal.any([call.signal, this.#abortion.signal]);
    this.#repair = mode === 'repair' ? new PathRepair(call, { damaged, signal: this.#signal }) : undefined;
    this.#writing = call.daemon.temporaryRoots.beginWriting();
    this.#activities = new BuildActivities(call.log, call.daemon.storeDirectory);
    const { realiser, known }: { readonly realiser: Realiser; readonly known: KnownPaths } = openRealiser(
      call,
      {
        onEvent: (event) => this.#activities.show(event),
        signal: this.#signal,
        repairedStore: this.#repair?.store,
        keepGoing,
      },
    );
    if (described !== undefined) known.describeDerivation(described);
    this.#realiser = realiser;
  }

  async run(): Promise<readonly GoalOutcome[]> {
    try {
      return await Promise.all(this.#goals.map((goal) => this.#outcome(goal)));
    } finally {
      this.#abortion.abort(new RealiseError('given-up', 'nobody waits for it any more'));
      await this.#realiser.settled();
      this.#activities[Symbol.dispose]();
      this.#outlive();
    }
  }

  /** Builds that were begun here, and that others joined, use what they use until they end. */
  #outlive(): void {
    const { background } = this.#call.daemon;
    const end = async (): Promise<void> => {
      await this.#realiser.ended();
      this.#writing[Symbol.dispose]();
      background.delete(ending);
    };
    const ending = end();
    background.add(ending);
  }

  async #outcome(goal: BuildGoal): Promise<GoalOutcome> {
    const startedMs = Date.now();
    try {
      const { how, outputs } = await (goal.kind === 'path'
        ? this.#makePath(goal.path)
        : this.#makeOutputs(goal));
      return { kind: 'done', goal, how, outputs, startedMs, endedMs: Date.now() };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isGivenUp = this.#signal.aborted || (error instanceof RealiseError && error.code === 'given-up');
      if (!isGivenUp && !this.#keepGoing) {
        this.#abortion.abort(new RealiseError('given-up', 'something else has failed', { cause: error }));
      }
      return { kind: 'failed', goal, error, isGivenUp, startedMs, endedMs: Date.now() };
    }
  }

  async #makePath(path: StorePath): Promise<Made> {
    await this.#repair?.mend([path], this.#realiser);
    const already = await findPathInfo(path, this.#call.daemon, this.#signal);
    const pathInfo = already ?? (await this.#realiser.path(path));
    return {
      how: already === undefined ? 'substituted' : 'already-there',
      outputs: new Map([['out', pathInfo]]),
    };
  }

  async #makeOutputs({ drvPath, outputs }: Extract<BuildGoal, { readonly kind: 'outputs' }>): Promise<Made> {
    const names = outputs === 'all' ? undefined : outputs;
    if (this.#mode === 'check') await this.#realiser.check(drvPath);
    const isThere = await this.#areThere(drvPath, names);
    if (this.#repair !== undefined) await this.#mendOutputs(drvPath, { names, isThere }, this.#repair);
    const made = await this.#realiser.outputs(drvPath, names);
    await this.#rememberImpure(drvPath, made);
    if (this.#activities.built.has(drvPath.hashPart)) return { how: 'built', outputs: made };
    return { how: isThere ? 'already-there' : 'substituted', outputs: made };
  }

  /** What is missing is built of inputs that are as they should be. */
  // oxlint-disable-next-line eslint/max-params -- whose, which, and by what
  async #mendOutputs(
    drvPath: StorePath,
    { names, isThere }: { readonly names: readonly string[] | undefined; readonly isThere: boolean },
    repair: PathRepair,
  ): Promise<void> {
    const derivation = await this.#realiser.decisions.derivation(drvPath);
    if (derivation === undefined) return;
    const paths = await this.#call.daemon.derivations.outputPaths(drvPath, derivation);
    const wanted = (names ?? [...paths.keys()]).flatMap((name) => paths.get(name) ?? []);
    const inputs = isThere ? [] : await repair.inputsOf(drvPath, this.#realiser);
    await repair.mend(await repair.closure([...wanted, ...inputs]), this.#realiser, drvPath);
  }

  async #rememberImpure(drvPath: StorePath, made: ReadonlyMap<string, PathInfo>): Promise<void> {
    const derivation = await this.#realiser.decisions.derivation(drvPath);
    if (derivation === undefined || derivationType(derivation) !== 'impure') return;
    const paths = new Map(Array.from(made, ([name, { storePath }]) => [name, storePath]));
    this.#call.daemon.derivations.rememberImpure(drvPath, paths);
  }

  async #areThere(drvPath: StorePath, names: readonly string[] | undefined): Promise<boolean> {
    const { daemon } = this.#call;
    const derivation: Derivation | undefined = await this.#realiser.decisions.derivation(drvPath);
    // What is impure is made anew.
    if (derivation === undefined || derivationType(derivation) === 'impure') return false;
    const paths = await daemon.derivations.outputPaths(drvPath, derivation);
    const found = await mapInOrder(names ?? [...paths.keys()], async (name) => {
      const path = paths.get(name);
      return path !== undefined && (await findPathInfo(path, daemon, this.#signal)) !== undefined;
    });
    return found.every((it) => it);
  }
}

type Made = {
  readonly how: 'built' | 'substituted' | 'already-there';
  readonly outputs: ReadonlyMap<string, PathInfo>;
};
