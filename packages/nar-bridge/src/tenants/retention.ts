/**
 * Which paths of a cache go, so that those that stay always have all that they refer to.
 *
 * A path counts as used when one was that refers to it, directly or not: so it is never older than what needs it, and going by
 * age or by size alone never leaves a hole. Pinned paths and those of the grace
 * time stay with their closures. Sizes are those of NARs; what paths have in
 * common is counted for each.
 */
import { parentsFirst } from '@neve/castore';

export type RetentionPolicy = {
  /** Paths that were not used for so long go, in milliseconds. */
  readonly maxAgeMs: number | undefined;
  /** The NARs of the paths that stay are not more than this, but for those that stay in any case. */
  readonly maxBytes: number | undefined;
  /** Paths that were used within this time stay in any case: whoever pushes a closure relies on what was pushed before. */
  readonly graceMs: number;
};

export type CachedPath = {
  /** Hash parts; the path's own may be among them, and such as are not in the cache. */
  readonly references: readonly string[];
  readonly narSize: number;
  readonly lastUsedMs: number;
};

export type RetentionPlan = {
  /** Hash parts of the paths that go, each before those that it refers to. */
  readonly removed: readonly string[];
  readonly keptPaths: number;
  /** Of NARs. */
  readonly keptBytes: number;
};

export type RetentionOptions = {
  readonly policy: RetentionPolicy;
  /** Hash parts. */
  readonly pins: Iterable<string>;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
};

/** `paths` are by hash part. */
export function planRetention(
  paths: ReadonlyMap<string, CachedPath>,
  { policy, pins, nowMs }: RetentionOptions,
): RetentionPlan {
  const recent = [...paths].filter(([, { lastUsedMs }]) => nowMs - lastUsedMs < policy.graceMs);
  const pinned = closureOf([...pins, ...recent.map(([hashPart]) => hashPart)], paths);
  const order = referrersFirst(paths);
  const used = effectiveUses(order, paths);
  // Sorting keeps the order of equals, so that each is still before what it refers to.
  const leastUsed = order
    .filter((hashPart) => !pinned.has(hashPart))
    .sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0));
  const oldestMs = policy.maxAgeMs === undefined ? -Infinity : nowMs - policy.maxAgeMs;
  const maxBytes = policy.maxBytes ?? Infinity;
  let keptBytes = 0;
  for (const { narSize } of paths.values()) keptBytes += narSize;
  const removed: string[] = [];
  for (const hashPart of leastUsed) {
    const isOld = (used.get(hashPart) ?? 0) < oldestMs;
    if (!isOld && keptBytes <= maxBytes) break;
    removed.push(hashPart);
    keptBytes -= paths.get(hashPart)?.narSize ?? 0;
  }
  return { removed, keptPaths: paths.size - removed.length, keptBytes };
}

function closureOf(pins: Iterable<string>, paths: ReadonlyMap<string, CachedPath>): ReadonlySet<string> {
  const reached = new Set(pins);
  // The set grows while it is walked.
  for (const hashPart of reached) {
    for (const reference of paths.get(hashPart)?.references ?? []) reached.add(reference);
  }
  return reached;
}

/** What is in a circle of references, which no path should be, is last. */
function referrersFirst(paths: ReadonlyMap<string, CachedPath>): readonly string[] {
  const others = (hashPart: string): string[] =>
    (paths.get(hashPart)?.references ?? []).filter((it) => it !== hashPart && paths.has(it));
  return [...new Set([...parentsFirst(paths.keys(), others), ...paths.keys()])];
}

/** The last use of each path or of anything that needs it. */
function effectiveUses(
  order: readonly string[],
  paths: ReadonlyMap<string, CachedPath>,
): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const hashPart of order) used.set(hashPart, paths.get(hashPart)?.lastUsedMs ?? 0);
  // In a circle one round is not enough.
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const hashPart of order) {
      const time = used.get(hashPart) ?? 0;
      for (const reference of paths.get(hashPart)?.references ?? []) {
        if ((used.get(reference) ?? Infinity) >= time) continue;
        used.set(reference, time);
        isStable = false;
      }
    }
  }
  return used;
}
