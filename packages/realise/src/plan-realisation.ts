/**
 * What would be done to make paths be there, and why, without doing any of it: a dry run and an explanation. Derivations come
 * after those that they need.
 *
 * Where an output has no path before it is built, its derivation counts as one that would be built.
 */
import type { NarInfo, StorePath } from '@neve/nix-compat';
import type { Decisions } from './decisions.ts';
import type { OutputOf } from './known-paths.ts';
import { RealiseError } from './realise-error.ts';

export type RealisationPlan = {
  readonly builds: readonly PlannedBuild[];
  readonly substitutions: readonly PlannedSubstitution[];
  readonly fetches: readonly StorePath[];
  /** Nobody has them, and nobody knows how to make them. */
  readonly unknown: readonly StorePath[];
};

export type PlannedBuild = {
  readonly derivation: StorePath;
  /** Who wants it: another derivation that would be built, or nobody for what was asked for. */
  readonly neededBy: StorePath | undefined;
};

export type PlannedSubstitution = {
  readonly storePath: StorePath;
  readonly from: string;
  readonly narSize: number;
  /** Of the compressed file, where the cache says it. */
  readonly downloadSize: number | undefined;
};

/** Throws what the decisions throw, and `RealiseError` (`invalid-derivation`) for a derivation that is not to be found. */
export async function planRealisation(
  goals: Iterable<OutputOf | StorePath>,
  decisions: Decisions,
): Promise<RealisationPlan> {
  const planner = new Planner(decisions);
  for (const goal of goals) {
    await ('derivation' in goal ? planner.output(goal, undefined) : planner.path(goal, undefined));
  }
  return planner.plan;
}

class Planner {
  readonly #decisions: Decisions;
  readonly #builds: PlannedBuild[] = [];
  readonly #substitutions: PlannedSubstitution[] = [];
  readonly #fetches: StorePath[] = [];
  readonly #unknown: StorePath[] = [];
  readonly #seenPaths = new Set<string>();
  /** A derivation may also be a path that something needs. */
  readonly #seenBuilds = new Set<string>();

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  get plan(): RealisationPlan {
    return {
      builds: this.#builds,
      substitutions: this.#substitutions,
      fetches: this.#fetches,
      unknown: this.#unknown,
    };
  }

  async output(of: OutputOf, neededBy: StorePath | undefined): Promise<void> {
    const path = await this.#decisions.pathOf(of);
    await (path === undefined ? this.#build(of.derivation, neededBy) : this.path(path, neededBy));
  }

  async path(storePath: StorePath, neededBy: StorePath | undefined): Promise<void> {
    if (!isNew(storePath, this.#seenPaths)) return;
    const decision = await this.#decisions.decide(storePath);
    switch (decision.kind) {
      case 'present':
        return;
      case 'add':
        if (decision.described.kind !== 'text') return;
        for (const reference of decision.described.references) await this.path(reference, neededBy);
        return;
      case 'substitute':
        return await this.#substitute(storePath, decision.offer.substituter.name, decision.offer.narInfo);
      case 'fetch':
        this.#fetches.push(storePath);
        return;
      case 'build':
        return await this.#build(decision.of.derivation, neededBy);
      case 'unknown':
        this.#unknown.push(storePath);
    }
  }

  async #substitute(storePath: StorePath, from: string, narInfo: NarInfo): Promise<void> {
    for (const reference of narInfo.references) {
      if (reference.hashPart !== storePath.hashPart) await this.path(reference, undefined);
    }
    const { narSize, fileSize } = narInfo;
    this.#substitutions.push({ storePath, from, narSize, downloadSize: fileSize });
  }

  async #build(drvPath: StorePath, neededBy: StorePath | undefined): Promise<void> {
    if (!isNew(drvPath, this.#seenBuilds)) return;
    const derivation = await this.#decisions.derivation(drvPath);
    if (derivation === undefined) {
      throw new RealiseError('invalid-derivation', `the derivation '${drvPath.baseName}' is not there`);
    }
    for (const source of derivation.inputSources) await this.path(source, drvPath);
    for (const { path, outputs } of derivation.inputDerivations) {
      for (const output of outputs) await this.output({ derivation: path, output }, drvPath);
    }
    this.#builds.push({ derivation: drvPath, neededBy });
  }
}

/** And from now on it is not. */
function isNew({ hashPart }: StorePath, seen: Set<string>): boolean {
  if (seen.has(hashPart)) return false;
  seen.add(hashPart);
  return true;
}
