/**
 * Mends paths for one request: those that are damaged count as missing in a view of the store, what is damaged of them is
 * removed, and they are made anew: substituted, or built by their derivers, whose inputs are mended first. For everybody else
 * the paths stay where they are meanwhile. Nothing is removed of a path that nobody can make.
 */
import { type StorePath, verbosity } from '@neve/nix-compat';
import { type OutputOf, RealiseError, type Realiser } from '@neve/realise';
import {
  DamageFinder,
  type NodeDamage,
  type PathInfo,
  type StoreServices,
  readPathClosure,
  removeDamage,
  replacedPathInfos,
} from '@neve/store';
import { WeightedSemaphore } from '@neve/castore';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { Call } from './call.ts';
import { findPathInfo } from './valid-paths.ts';

export type PathRepairOptions = {
  /** Hash parts of paths that are to be made anew whatever they look like. */
  readonly damaged?: ReadonlySet<string> | undefined;
  readonly signal: AbortSignal;
};

type Damaged = {
  readonly pathInfo: PathInfo;
  readonly damage: readonly NodeDamage[];
  /** What makes it, if its deriver is there. */
  readonly output: OutputOf | undefined;
};

export class PathRepair {
  /** In which damaged paths are missing. */
  readonly store: StoreServices;
  readonly #call: Call;
  readonly #options: PathRepairOptions;
  readonly #missing = new Set<string>();
  readonly #finder: DamageFinder;
  /** Paths that were looked at. */
  readonly #checked = new Set<string>();
  #wantedDerivation: StorePath | undefined;
  /** Damaged, and nobody can make them. */
  readonly #lost: StorePath[] = [];
  /** What several goals have in common is looked at once. */
  readonly #turn: WeightedSemaphore = new WeightedSemaphore(1);

  constructor(call: Call, options: PathRepairOptions) {
    this.#call = call;
    this.#options = options;
    const { store } = call.daemon;
    this.#finder = new DamageFinder(store);
    this.store = { ...store, pathInfos: replacedPathInfos(store.pathInfos, this.#missing) };
  }

  /**
   * Mends those of the paths that are there and damaged, and gives these. `realiser` works with the store of this object. The
   * derivations that `drvPath` needs may make what does not name its deriver.
   * Throws `NixDaemonError` (`invalid-path`) for one that cannot be mended, after it has mended the others.
   */
  // oxlint-disable-next-line eslint/max-params -- what, by what, and for what
  async mend(
    storePaths: readonly StorePath[],
    realiser: Realiser,
    drvPath?: StorePath,
  ): Promise<ReadonlySet<string>> {
    const release = await this.#turn.acquire();
    try {
      this.#wantedDerivation = drvPath;
      const damaged = await this.#findDamaged(storePaths, realiser);
      for (const { pathInfo } of damaged) this.#missing.add(pathInfo.storePath.hashPart);
      for (const { damage } of damaged) await removeDamage(damage, this.store, this.#options.signal);
      if (damaged.some(({ damage }) => damage.length > 0)) await this.#call.daemon.forgetInputs?.();
      const made = await Promise.allSettled(damaged.map((it) => this.#remake(it, realiser)));
      for (const it of made) if (it.status === 'rejected') throw it.reason;
      const [lost] = this.#lost.splice(0);
      if (lost !== undefined) throw this.#irreparable(lost);
      return new Set(damaged.map(({ pathInfo }) => pathInfo.storePath.hashPart));
    } finally {
      release();
    }
  }

  /** All that is there of what the paths refer to, and they themselves. */
  async closure(storePaths: readonly StorePath[]): Promise<readonly StorePath[]> {
    const { pathInfos } = await readPathClosure(storePaths, this.#call.daemon.store, this.#options.signal);
    return pathInfos.map(({ storePath }) => storePath);
  }

  /** Those among the paths, and among what is needed to build these. */
  async #findDamaged(storePaths: readonly StorePath[], realiser: Realiser): Promise<readonly Damaged[]> {
    const found: Damaged[] = [];
    const pending = [...storePaths];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (this.#checked.has(path.hashPart)) continue;
      this.#checked.add(path.hashPart);
      const pathInfo = await findPathInfo(path, this.#call.daemon, this.#options.signal);
      const damage = pathInfo && (await this.#damageOf(pathInfo));
      if (pathInfo === undefined || damage === undefined) continue;
      const output = await this.#outputOf(pathInfo, realiser);
      const offer = await realiser.decisions.offer(path);
      if (offer === undefined && output === undefined) this.#lost.push(path);
      else found.push({ pathInfo, damage, output });
      if (offer === undefined && output !== undefined) {
        pending.push(...(await this.closure(await this.inputsOf(output.derivation, realiser))));
      }
    }
    return found;
  }

  /** The inputs of a derivation whose paths are known. */
  async inputsOf(drvPath: StorePath, realiser: Realiser): Promise<readonly StorePath[]> {
    const derivation = await realiser.decisions.derivation(drvPath);
    if (derivation === undefined) return [];
    const inputs = [...derivation.inputSources];
    for (const { path, outputs } of derivation.inputDerivations) {
      const known = await this.#outputPaths(path, realiser);
      inputs.push(...outputs.flatMap((it) => known.get(it) ?? []));
    }
    return inputs;
  }

  /** `undefined` when the path is as it should be. */
  async #damageOf({
    storePath,
    node,
    narHash,
    narSize,
  }: PathInfo): Promise<readonly NodeDamage[] | undefined> {
    const { daemon, log } = this.#call;
    const { damaged, signal } = this.#options;
    const printed = daemon.storeDirectory.print(storePath);
    log.message(verbosity.info, `checking path '${printed}'...`);
    const damage = await this.#finder.find(node, signal);
    if (damage.length === 0 && damaged?.has(storePath.hashPart) !== true) {
      const nar = await daemon.narCalculation.calculateNar(node, signal);
      if (nar.narSize === narSize && nar.narHash.equals(narHash)) return undefined;
    }
    log.error(`path '${printed}' is corrupted or missing!`);
    return damage;
  }

  async #outputOf({ storePath, deriver }: PathInfo, realiser: Realiser): Promise<OutputOf | undefined> {
    const { daemon } = this.#call;
    const isThere = deriver !== undefined && (await findPathInfo(deriver, daemon)) !== undefined;
    const derivers = isThere ? [deriver] : await this.#possibleDerivers();
    for (const derivation of derivers) {
      for (const [output, path] of await this.#outputPaths(derivation, realiser)) {
        if (path?.hashPart !== storePath.hashPart) continue;
        const of = { derivation, output };
        // From now on the realiser knows it too, where the path is known beforehand.
        await realiser.decisions.pathOf(of);
        return of;
      }
    }
    return undefined;
  }

  /** What is wanted is built by one of these. */
  async #possibleDerivers(): Promise<readonly StorePath[]> {
    const wanted = this.#wantedDerivation;
    if (wanted === undefined) return [];
    return (await this.closure([wanted])).filter((it) => it.isDerivation);
  }

  async #outputPaths(
    drvPath: StorePath,
    realiser: Realiser,
  ): Promise<ReadonlyMap<string, StorePath | undefined>> {
    const derivation = await realiser.decisions.derivation(drvPath);
    if (derivation === undefined) return new Map();
    return await this.#call.daemon.derivations.outputPaths(drvPath, derivation);
  }

  async #remake({ pathInfo: { storePath }, output }: Damaged, realiser: Realiser): Promise<void> {
    const { daemon } = this.#call;
    const { signal } = this.#options;
    const made = await this.#make(storePath, { output, realiser });
    // What is shown was made of what was damaged.
    await daemon.view?.forget([storePath]);
    this.#finder.forget();
    if ((await this.#finder.find(made.node, signal)).length === 0) return;
    // Below a directory that was damaged something else may be.
    const printed = daemon.storeDirectory.print(storePath);
    throw new NixDaemonError('invalid-path', `path '${printed}' is repaired in part; repair it once more`);
  }

  async #make(
    storePath: StorePath,
    { output, realiser }: { readonly output: OutputOf | undefined; readonly realiser: Realiser },
  ): Promise<PathInfo> {
    try {
      return await realiser.path(storePath);
    } catch (error) {
      if (!(error instanceof RealiseError) || error.code !== 'not-found') throw error;
      if (output === undefined) throw this.#irreparable(storePath, error);
    }
    // Its path follows from what is built, so that the realiser did not know what makes it.
    const made = (await realiser.outputs(output.derivation, [output.output])).get(output.output);
    if (made?.storePath.hashPart === storePath.hashPart) return made;
    throw this.#irreparable(storePath);
  }

  #irreparable(storePath: StorePath, cause?: Error): NixDaemonError {
    const printed = this.#call.daemon.storeDirectory.print(storePath);
    return new NixDaemonError('invalid-path', `cannot repair path '${printed}'`, { cause });
  }
}
