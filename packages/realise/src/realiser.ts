/**
 * Makes store paths be there, with all that they refer to. What has to be done for a path grows out of the question as the
 * decisions say; whatever several need is done once; what does not depend on each other runs side by side, within limits.
 *
 * A `Realiser` is for one command or one evaluation: what failed stays failed. When a promise of it is fulfilled, the path
 * info is in the store, and the path infos of everything that it refers to are too.
 */
import { WeightedSemaphore } from '@neve/castore';
import { FetchError, type FetchEvent, type Fetcher } from '@neve/fetch';
import type { HashFunctions } from '@neve/bytes';
import { type Derivation, type StoreDirectory, type StorePath, contentAddressedPath } from '@neve/nix-compat';
import { type NarCalculationService, type PathInfo, StoreError, requirePathClosure } from '@neve/store';
import { inSpan } from '@neve/telemetry';
import {
  buildsAreDisabled,
  failedDependencies,
  givenUp,
  isGivenUp,
  nothingToCheck,
} from './build-refusals.ts';
import type { BuildJob, DerivationBuilder } from './derivation-builder.ts';
import { type CacheProblem, Decisions, type DecisionsOptions, type Offer } from './decisions.ts';
import type { DescribedFetch, DescribedImport, DescribedText, OutputOf } from './known-paths.ts';
import { decisionSpan, inBuildSpan, logEvent, queued, substituted } from './realise-telemetry.ts';
import { RealiseError } from './realise-error.ts';
import type { BuildMode, RealiseEvent } from './realise-event.ts';
import type { BuildTurn, SharedBuild, SharedBuilds } from './shared-builds.ts';
import type { WorkLocks } from './work-locks.ts';

export type RealiserOptions = Omit<DecisionsOptions, 'onProblem' | 'signal' | 'allowsSubstitutes'> & {
  readonly storeDirectory: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly narCalculation: NarCalculationService;
  readonly builder: DerivationBuilder;
  readonly fetcher: Fetcher;
  /** Keeps other processes from doing the same work at the same time. */
  readonly locks: WorkLocks;
  readonly limits: RealiseLimits;
  /** Builds that other realisers of this process may want as well. */
  readonly sharing?: BuildSharing | undefined;
  /** What could not be substituted is built; otherwise that is an error. */
  readonly fallback: boolean;
  /** Without, nothing is begun after a build has failed, and whoever waits for several things waits for the first failure. */
  readonly keepGoing: boolean;
  readonly onEvent?: (event: RealiseEvent) => void;
  /** Ends everything. */
  readonly signal?: AbortSignal | undefined;
};

/** How much of each goes on at the same time. */
export type RealiseLimits = {
  /** 0: nothing is built here. */
  readonly builds: number;
  readonly substitutions: number;
  readonly downloads: number;
};

export type BuildSharing = {
  readonly builds: SharedBuilds;
  /** Says how this realiser builds: with whom it differs it shares nothing. */
  readonly settings: string;
};

type Outputs = ReadonlyMap<string, PathInfo>;

type BegunBuild =
  | { readonly kind: 'present'; readonly outputs: Outputs }
  | { readonly kind: 'begun'; readonly build: SharedBuild; readonly release: () => void };

export class Realiser {
  readonly decisions: Decisions;
  readonly #options: RealiserOptions;
  readonly #slots: {
    readonly builds: WeightedSemaphore;
    readonly substitutions: WeightedSemaphore;
    readonly downloads: WeightedSemaphore;
  };
  readonly #paths = new Map<string, Promise<PathInfo>>();
  readonly #builds = new Map<string, Promise<Outputs>>();
  /** By what they lock. */
  readonly #jobs = new Map<string, Promise<Outputs>>();
  /** Builds that were begun here, and that others may wait for. */
  readonly #shared = new Set<Promise<void>>();
  /** Derivations whose builds were begun here, by hash part. */
  readonly #begun = new Set<string>();
  /** The first build that failed. */
  #failure: unknown;

  constructor(options: RealiserOptions) {
    this.#options = options;
    const { builds, substitutions, downloads } = options.limits;
    this.#slots = {
      builds: new WeightedSemaphore(Math.max(1, builds)),
      substitutions: new WeightedSemaphore(substitutions),
      downloads: new WeightedSemaphore(downloads),
    };
    this.decisions = new Decisions({
      ...options,
      allowsSubstitutes: (derivation) => options.builder.allowsSubstitutes(derivation),
      onProblem: (problem) => this.#tellProblem(problem),
    });
  }

  /** Throws `RealiseError`. */
  path(storePath: StorePath): Promise<PathInfo> {
    return once(this.#paths, storePath.hashPart, () =>
      inSpan('realise.path', this.#spanOf(storePath), () => this.#makePath(storePath)),
    );
  }

  /** Throws `RealiseError`: `not-found` too when the derivation has no such output. */
  async output(of: OutputOf): Promise<PathInfo> {
    const path = await this.decisions.pathOf(of);
    if (path !== undefined) return await this.path(path);
    const isThere = (await this.#derivation(of.derivation)).outputs.has(of.output);
    const pathInfo = isThere ? (await this.#build(of.derivation)).get(of.output) : undefined;
    if (pathInfo !== undefined) return pathInfo;
    throw new RealiseError(
      'not-found',
      `derivation '${this.#print(of.derivation)}' does not have wanted outputs '${of.output}'`,
    );
  }

  /** All outputs of a derivation, or those with these names. */
  async outputs(drvPath: StorePath, names?: readonly string[]): Promise<Outputs> {
    const derivation = await this.#derivation(drvPath);
    const wanted = names ?? [...derivation.outputs.keys()];
    const pathInfos = await this.#all(
      wanted.map(async (output) => [output, await this.output({ derivation: drvPath, output })] as const),
    );
    return new Map(pathInfos);
  }

  /**
   * Builds once more what is there, and gives that. Throws `RealiseError`: `not-reproducible` when it becomes something else,
   * `not-found` when it is not there.
   */
  async check(drvPath: StorePath): Promise<Outputs> {
    return await this.#buildNow(drvPath, 'check');
  }

  /** Fulfilled when nothing is under way, whatever became of it: whoever has aborted may close the services then. */
  async settled(): Promise<void> {
    for (let count = -1; count !== this.#paths.size + this.#builds.size;) {
      count = this.#paths.size + this.#builds.size;
      await Promise.allSettled([...this.#paths.values(), ...this.#builds.values()]);
    }
  }

  /** Fulfilled when nothing goes on that was begun here, be it for others. Nothing is begun any more. */
  async ended(): Promise<void> {
    await this.settled();
    await Promise.all(this.#shared);
  }

  async #makePath(storePath: StorePath): Promise<PathInfo> {
    const decision = await decisionSpan(storePath, () => this.decisions.decide(storePath));
    switch (decision.kind) {
      case 'present':
        return decision.pathInfo;
      case 'add':
        return await (decision.described.kind === 'text'
          ? this.#addText(decision.described)
          : this.#addImport(decision.described));
      case 'substitute':
        return (
          (await this.#substitute(storePath, decision.offer)) ??
          (await this.#makeWithoutCaches(storePath, decision.offer))
        );
      case 'fetch':
        return await this.#fetch(decision.described);
      case 'build':
        return await this.#outputFromBuild(decision.of, storePath);
      case 'unknown':
        throw new RealiseError(
          'not-found',
          `path '${this.#print(storePath)}' is required, but there is no substituter that can build it`,
        );
    }
  }

  async #addText({ storePath, contents, references }: DescribedText): Promise<PathInfo> {
    const { store, hashes, narCalculation, signal } = this.#options;
    await this.#all(references.map((it) => this.path(it)));
    const digest = await store.blobs.put(contents, signal);
    const node = { kind: 'file', digest, size: contents.length, executable: false } as const;
    return await this.#register({
      storePath,
      node,
      references,
      contentAddress: { method: 'text', digest: hashes.hash('sha256', contents) },
      ...(await narCalculation.calculateNar(node, signal)),
    });
  }

  async #addImport({ storePath, contentAddress, read }: DescribedImport): Promise<PathInfo> {
    const { store, signal } = this.#options;
    const { node, narHash, narSize } = await read(store, signal);
    return await this.#register({ storePath, node, references: [], contentAddress, narHash, narSize });
  }

  /** `undefined` when the cache failed and it shall be made in another way. */
  async #substitute(storePath: StorePath, { substituter, narInfo }: Offer): Promise<PathInfo | undefined> {
    const { store, signal } = this.#options;
    this.#emit({
      kind: 'substitution-planned',
      ...{ storePath, from: substituter.name, derivation: this.decisions.outputOf(storePath)?.derivation },
      ...{ narSize: narInfo.narSize, downloadBytes: narInfo.fileSize },
    });
    try {
      const references = narInfo.references.filter((it) => it.hashPart !== storePath.hashPart);
      await this.#all(references.map((it) => this.path(it)));
      return await this.#inSlot('substitutions', storePath, async () => {
        const already = await store.pathInfos.get(storePath.hashPart, signal);
        if (already !== undefined) {
          this.#emit({ kind: 'substitution-not-needed', storePath });
          return already;
        }
        this.#emit({ kind: 'substitution-started', storePath, from: substituter.name });
        const stored = await inSpan('realise.substitute', this.#spanOf(storePath), async (span) => {
          span?.set({ 'substituter.name': substituter.name });
          const pathInfo = await substituter.get(storePath.hashPart, signal);
          if (pathInfo === undefined) {
            throw new StoreError('not-found', `${substituter.name} no longer has it`);
          }
          return await store.pathInfos.put(pathInfo, signal);
        });
        substituted(stored);
        this.#emit({ kind: 'substitution-ended', storePath, narSize: stored.narSize });
        return stored;
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof StoreError) && !(error instanceof RealiseError)) throw error;
      this.#emit({ kind: 'substitution-failed', storePath, error });
      return undefined;
    }
  }

  async #makeWithoutCaches(storePath: StorePath, offer: Offer): Promise<PathInfo> {
    const { fallback, known } = this.#options;
    const path = this.#print(storePath);
    if (!fallback) {
      throw new RealiseError(
        'not-found',
        `'${path}' could not be got from ${offer.substituter.name}, which says that it has it; try '--fallback' to make it here`,
      );
    }
    const described = known.path(storePath);
    if (described?.kind === 'fetch') return await this.#fetch(described);
    const of = this.decisions.outputOf(storePath);
    if (of !== undefined) return await this.#outputFromBuild(of, storePath);
    throw new RealiseError('not-found', `path '${path}' is required, but nobody else can make it`);
  }

  async #fetch({ storePath, fetch }: DescribedFetch, deriver?: StorePath): Promise<PathInfo> {
    const { store, signal } = this.#options;
    return await this.#inSlot('downloads', storePath, async () => {
      const already = await store.pathInfos.get(storePath.hashPart, signal);
      if (already !== undefined) return already;
      this.#emit({ kind: 'fetch-started', storePath, derivation: deriver });
      try {
        const pathInfo = await this.#fetchInSlot({ storePath, fetch }, deriver);
        this.#emit({ kind: 'fetch-ended', storePath, error: undefined });
        return pathInfo;
      } catch (cause) {
        this.#emit({ kind: 'fetch-ended', storePath, error: errorOf(cause) });
        throw cause;
      }
    });
  }

  async #fetchInSlot(
    { storePath, fetch }: Pick<DescribedFetch, 'storePath' | 'fetch'>,
    deriver: StorePath | undefined,
  ): Promise<PathInfo> {
    const { fetcher, storeDirectory, signal } = this.#options;
    const onEvent = (event: FetchEvent): void => this.#emit({ kind: 'fetch-event', storePath, event });
    const { node, narHash, narSize, contentAddress } = await inSpan(
      'realise.fetch',
      this.#spanOf(storePath),
      () => fetcher.fetch(fetch, { onEvent, signal }),
    );
    const actual = contentAddressedPath(storeDirectory, { name: storePath.name, contentAddress });
    if (actual.hashPart !== storePath.hashPart) {
      throw new RealiseError(
        'hash-mismatch',
        `what was fetched is '${this.#print(actual)}', not '${this.#print(storePath)}'`,
      );
    }
    const described = { storePath, node, references: [], contentAddress, narHash, narSize };
    return await this.#register(described, deriver);
  }

  /** What it fetched must be what the derivation says. */
  async #fetchForDerivation(drvPath: StorePath, fetch: DescribedFetch): Promise<PathInfo> {
    try {
      return await this.#fetch(fetch, drvPath);
    } catch (cause) {
      if (!(cause instanceof FetchError) || cause.code !== 'hash-mismatch') throw cause;
      const { specified = '', got = '' } = cause;
      throw new RealiseError(
        'hash-mismatch',
        `hash mismatch in fixed-output derivation '${this.#print(drvPath)}':\n  specified: ${specified}\n     got:    ${got}`,
        { cause, specified, got },
      );
    }
  }

  async #outputFromBuild(of: OutputOf, storePath: StorePath): Promise<PathInfo> {
    const pathInfo = (await this.#build(of.derivation)).get(of.output);
    if (pathInfo !== undefined) return pathInfo;
    throw new RealiseError(
      'not-found',
      `building '${this.#print(of.derivation)}' did not make '${this.#print(storePath)}'`,
    );
  }

  #build(drvPath: StorePath): Promise<Outputs> {
    return once(this.#builds, drvPath.hashPart, () =>
      inSpan('realise.derivation', this.#spanOf(drvPath), () => this.#buildNow(drvPath, 'build')),
    );
  }

  async #buildNow(drvPath: StorePath, mode: BuildMode): Promise<Outputs> {
    const { builder } = this.#options;
    const derivation = await this.#derivation(drvPath);
    const fetch = mode === 'build' ? builder.fetchOf(drvPath, derivation) : undefined;
    if (fetch !== undefined) return new Map([['out', await this.#fetchForDerivation(drvPath, fetch)]]);
    const inputs = derivation.inputDerivations.map(({ path }) => path);
    this.#emit({ kind: 'build-planned', derivation: drvPath, inputs });
    try {
      const outputs = await this.#buildPlanned({ drvPath, derivation }, mode);
      if (!this.#begun.has(drvPath.hashPart)) this.#emit({ kind: 'build-not-needed', derivation: drvPath });
      return outputs;
    } catch (cause) {
      if (!this.#begun.has(drvPath.hashPart)) {
        this.#emit({ kind: 'build-refused', derivation: drvPath, error: errorOf(cause) });
      }
      throw cause;
    }
  }

  async #buildPlanned(
    { drvPath, derivation }: { readonly drvPath: StorePath; readonly derivation: Derivation },
    mode: BuildMode,
  ): Promise<Outputs> {
    const { builder, store, signal } = this.#options;
    const inputs = await this.#inputs(drvPath, derivation);
    const direct = [...inputs.sources, ...[...inputs.outputs.values()].flatMap((it) => [...it.values()])];
    const closure = await requirePathClosure(
      direct.map((it) => it.storePath),
      store,
      signal,
    );
    const job = await builder.prepare({ drvPath, derivation, inputs: inputs.outputs, closure }, signal);
    if (mode === 'check') return await this.#runLocked(job, drvPath, mode);
    const already = await job.present(signal);
    if (already !== undefined) return already;
    // Several derivations may be the same when they are resolved, or have the same fixed output.
    const key = job.lockedPaths.map((it) => it.hashPart).join(' ');
    return await once(this.#jobs, key, () => this.#runLocked(job, drvPath, mode));
  }

  // oxlint-disable-next-line eslint/max-params -- a job, whose it is, and what for
  async #runLocked(job: BuildJob, drvPath: StorePath, mode: BuildMode): Promise<Outputs> {
    const { limits, signal, sharing } = this.#options;
    if (sharing !== undefined && mode === 'build' && limits.builds > 0) {
      return await this.#runShared(job, drvPath, sharing);
    }
    return await this.#locked(job.lockedPaths, async () => {
      const already = await job.present(signal);
      if (mode === 'build' && already !== undefined) return already;
      if (mode === 'check' && already === undefined) throw nothingToCheck(this.#print(drvPath));
      if (limits.builds === 0) throw buildsAreDisabled(this.#print(drvPath));
      const release = await queued('builds', this.#slots.builds.acquire());
      try {
        this.#throwIfGivenUp(drvPath);
        return await this.#run(drvPath, mode, (onLog) => job.build({ mode, onLog, signal }));
      } finally {
        release();
      }
    });
  }

  /** One of those who want it builds it, and keeps the lock until the build has ended, whoever waits for it then. */
  // oxlint-disable-next-line eslint/max-params -- a job, whose it is, and with whom
  async #runShared(job: BuildJob, drvPath: StorePath, { builds, settings }: BuildSharing): Promise<Outputs> {
    const { signal } = this.#options;
    const key = `${settings} ${job.lockedPaths.map((it) => it.hashPart).join(' ')}`;
    let taken = await builds.take(key, signal);
    while (taken.kind === 'build' && !taken.isOpen) taken = await builds.take(key, signal);
    const join = (build: SharedBuild): Promise<Outputs> =>
      this.#run(drvPath, 'build', (onLog) => build.join({ onLog, signal }));
    if (taken.kind === 'build') {
      this.#throwIfGivenUp(drvPath);
      return await join(taken);
    }
    const begun = await this.#begin(job, drvPath, taken);
    if (begun.kind === 'present') return begun.outputs;
    const ended = begun.build.ended.then(() => void this.#shared.delete(ended));
    this.#shared.add(ended);
    try {
      return await join(begun.build);
    } finally {
      begun.release();
    }
  }

  /** Begins a build, unless its outputs are there. The place for it among the builds is to be given back. */
  // oxlint-disable-next-line eslint/max-params -- a job, whose it is, and the right to begin it
  async #begin(job: BuildJob, drvPath: StorePath, taken: BuildTurn): Promise<BegunBuild> {
    const { signal } = this.#options;
    using turn = taken;
    const lock = await this.#lock(job.lockedPaths);
    const settle = async (): Promise<void> => await lock[Symbol.asyncDispose]();
    let release: (() => void) | undefined;
    let build: SharedBuild | undefined;
    try {
      const outputs = await job.present(signal);
      if (outputs !== undefined) return { kind: 'present', outputs };
      release = await queued('builds', this.#slots.builds.acquire());
      this.#throwIfGivenUp(drvPath);
      build = turn.start({ build: (options) => job.build({ mode: 'build', ...options }), settle });
      return { kind: 'begun', build, release };
    } finally {
      if (build === undefined) {
        release?.();
        await settle();
      }
    }
  }

  #throwIfGivenUp(drvPath: StorePath): void {
    const { keepGoing, signal } = this.#options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined && !keepGoing) throw givenUp(this.#print(drvPath), this.#failure);
  }

  // oxlint-disable-next-line eslint/max-params -- what, what for, and how
  async #run(
    derivation: StorePath,
    mode: BuildMode,
    build: (onLog: (bytes: Uint8Array) => void) => Promise<Outputs>,
  ): Promise<Outputs> {
    this.#begun.add(derivation.hashPart);
    this.#emit({ kind: 'build-started', derivation, mode });
    try {
      const span = this.#spanOf(derivation);
      const outputs = await inBuildSpan(mode, span, () =>
        build((bytes) => this.#emit({ kind: 'build-log', derivation, bytes })),
      );
      this.#emit({ kind: 'build-ended', derivation, error: undefined });
      return outputs;
    } catch (error) {
      this.#failure ??= error;
      this.#emit({ kind: 'build-ended', derivation, error: errorOf(error) });
      throw error;
    }
  }

  async #inputs(
    drvPath: StorePath,
    derivation: Derivation,
  ): Promise<{ readonly sources: readonly PathInfo[]; readonly outputs: ReadonlyMap<string, Outputs> }> {
    const sources = derivation.inputSources.map((it) => this.path(it));
    const outputs = derivation.inputDerivations.map(
      async ({ path, outputs: names }) => [path.hashPart, await this.outputs(path, names)] as const,
    );
    try {
      await this.#all([...sources, ...outputs]);
      return { sources: await Promise.all(sources), outputs: new Map(await Promise.all(outputs)) };
    } catch (cause) {
      const { keepGoing, signal } = this.#options;
      if (!(cause instanceof Error) || signal?.aborted === true || isGivenUp(cause)) throw cause;
      const failures = keepGoing ? await failuresOf([...sources, ...outputs]) : [cause];
      const { storeDirectory } = this.#options;
      throw failedDependencies(this.#print(drvPath), { derivation, failures, storeDirectory });
    }
  }

  async #derivation(drvPath: StorePath): Promise<Derivation> {
    const found = await this.decisions.derivation(drvPath);
    if (found !== undefined) return found;
    // It may be in a cache.
    await this.path(drvPath);
    const read = await this.decisions.derivation(drvPath);
    if (read !== undefined) return read;
    throw new RealiseError('invalid-derivation', `'${this.#print(drvPath)}' is not a derivation`);
  }

  #inSlot<T>(kind: 'substitutions' | 'downloads', storePath: StorePath, work: () => Promise<T>): Promise<T> {
    return this.#locked([storePath], async () => {
      const release = await queued(kind, this.#slots[kind].acquire());
      try {
        this.#options.signal?.throwIfAborted();
        return await work();
      } finally {
        release();
      }
    });
  }

  async #locked<T>(paths: readonly StorePath[], work: () => Promise<T>): Promise<T> {
    await using _held = await this.#lock(paths);
    return await work();
  }

  async #lock(paths: readonly StorePath[]): Promise<AsyncDisposable> {
    const { locks, signal } = this.#options;
    const onWait = (): void => {
      const [first] = paths;
      if (first !== undefined) this.#emit({ kind: 'waiting-for-lock', storePath: first });
    };
    return await locks.acquire(
      paths.map((it) => it.hashPart),
      { onWait, signal },
    );
  }

  async #register(known: Omit<PathInfo, 'signatures' | 'deriver'>, deriver?: StorePath): Promise<PathInfo> {
    const { store, signal } = this.#options;
    return await store.pathInfos.put({ ...known, signatures: [], deriver }, signal);
  }

  async #all<T extends readonly unknown[] | []>(
    work: T,
  ): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
    if (this.#options.keepGoing) await Promise.allSettled(work);
    return await Promise.all(work);
  }

  /** As Snix has it, and as people know it. */
  #spanOf(storePath: StorePath): { readonly attributes: Readonly<Record<string, string>> } {
    return { attributes: { 'path.digest': storePath.hashPart, 'path.name': storePath.name } };
  }

  #print(storePath: StorePath): string {
    return this.#options.storeDirectory.print(storePath);
  }

  #tellProblem({ substituter, storePath, error, isLast }: CacheProblem): void {
    if (isLast) this.#emit({ kind: 'cache-failed', name: substituter.name, error });
    else this.#emit({ kind: 'substitution-failed', storePath, error });
  }

  #emit(event: RealiseEvent): void {
    logEvent(event);
    this.#options.onEvent?.(event);
  }
}

/** Of promises that are settled. */
async function failuresOf(promises: readonly Promise<unknown>[]): Promise<readonly Error[]> {
  const settled = await Promise.allSettled(promises);
  return settled.flatMap((it) => (it.status === 'fulfilled' ? [] : [errorOf(it.reason)]));
}

function errorOf(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

function once<T>(running: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const earlier = running.get(key);
  if (earlier !== undefined) return earlier;
  const promise = work();
  // Whoever wanted it may have given up.
  promise.catch(() => undefined);
  running.set(key, promise);
  return promise;
}
