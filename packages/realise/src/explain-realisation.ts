/**
 * Why a path would be made, and how: the decision for it and, where it would be built, those for what the build needs and is
 * not there yet. Everything is explained once; where it is needed again, it only has its name.
 */
import type { StorePath } from '@neve/nix-compat';
import type { Decisions } from './decisions.ts';
import type { OutputOf } from './known-paths.ts';

export type Explanation = {
  /** `undefined` for an output that has no path before it is built. */
  readonly storePath: StorePath | undefined;
  readonly kind: 'present' | 'add' | 'substitute' | 'fetch' | 'build' | 'unknown' | 'explained-above';
  /** What is built, where it is. */
  readonly derivation: StorePath | undefined;
  /** A sentence without its subject: "is in the store". */
  readonly reason: string;
  /** What has to be made first. */
  readonly needs: readonly Explanation[];
};

/** Throws what the decisions throw. */
export async function explainRealisation(
  goal: OutputOf | StorePath,
  decisions: Decisions,
): Promise<Explanation> {
  const explainer = new Explainer(decisions);
  return await ('derivation' in goal ? explainer.output(goal) : explainer.path(goal));
}

class Explainer {
  readonly #decisions: Decisions;
  readonly #seen = new Set<string>();

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  async output(of: OutputOf): Promise<Explanation> {
    const path = await this.#decisions.pathOf(of);
    if (path !== undefined) return await this.path(path);
    const reason = 'has a path only when it is built, since that follows from its contents';
    return await this.#build(of, { storePath: undefined, reason });
  }

  async path(storePath: StorePath): Promise<Explanation> {
    const decision = await this.#decisions.decide(storePath);
    const rest = { storePath, derivation: undefined, needs: [] };
    switch (decision.kind) {
      case 'present':
        return { ...rest, kind: 'present', reason: 'is in the store' };
      case 'add':
        return { ...rest, kind: 'add', reason: 'is a source, which is copied to the store' };
      case 'substitute': {
        const reason = `is not in the store, and ${decision.offer.substituter.name} has it`;
        return { ...rest, kind: 'substitute', reason };
      }
      case 'fetch':
        return { ...rest, kind: 'fetch', reason: 'is not in the store, and is fetched by its hash' };
      case 'build':
        return await this.#build(decision.of, {
          storePath,
          reason: await this.#whyNotSubstituted(decision.of),
        });
      case 'unknown':
        return { ...rest, kind: 'unknown', reason: 'is not in the store, and nobody knows how to make it' };
    }
  }

  async #build(
    { derivation }: OutputOf,
    { storePath, reason }: Pick<Explanation, 'storePath' | 'reason'>,
  ): Promise<Explanation> {
    if (this.#seen.has(derivation.hashPart)) {
      return { storePath, kind: 'explained-above', derivation, reason: 'is explained above', needs: [] };
    }
    this.#seen.add(derivation.hashPart);
    const needs: Explanation[] = [];
    const found = await this.#decisions.derivation(derivation);
    for (const source of found?.inputSources ?? []) needs.push(await this.path(source));
    for (const { path, outputs } of found?.inputDerivations ?? []) {
      for (const output of outputs) needs.push(await this.output({ derivation: path, output }));
    }
    const missing = needs.filter(({ kind }) => kind !== 'present' && kind !== 'add');
    return { storePath, kind: 'build', derivation, reason, needs: missing };
  }

  async #whyNotSubstituted({ derivation }: OutputOf): Promise<string> {
    const { cacheNames } = this.#decisions;
    if (cacheNames.length === 0) return 'is not in the store, and no cache is asked';
    if (!(await this.#decisions.allowsSubstitutes(derivation))) {
      return 'is not in the store, and its derivation does not let it come from a cache';
    }
    return `is neither in the store nor in ${cacheNames.join(', ')}`;
  }
}
