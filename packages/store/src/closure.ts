/**
 * Closures of store paths: the paths and everything that they refer to, directly or not, as path infos say. Requests run
 * side by side, up to a number of them.
 */
import { parentsFirst } from '@neve/castore';
import type { StorePath } from '@neve/nix-compat';
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';

export type ClosureOptions = {
  readonly pathInfos: Pick<PathInfoService, 'get'>;
  /** Paths to leave out, together with what only they refer to. */
  readonly leaveOut?: (hashPart: string, signal?: AbortSignal) => Promise<boolean>;
  /** How many requests run at the same time; 16 unless given. */
  readonly maxRequests?: number;
};

export type MissingPath = {
  readonly storePath: StorePath;
  /** The path that refers to it; none for a path that was asked for. */
  readonly referrer: StorePath | undefined;
};

export type Closure = {
  /** Each after all that it refers to, as far as references make no circle. */
  readonly pathInfos: readonly PathInfo[];
  readonly missing: readonly MissingPath[];
};

/** What is missing is named, not thrown. */
export async function readPathClosure(
  roots: Iterable<StorePath>,
  options: ClosureOptions,
  signal?: AbortSignal,
): Promise<Closure> {
  const { pathInfos, leaveOut, maxRequests = 16 } = options;
  const found = new Map<string, PathInfo>();
  const missing: MissingPath[] = [];
  const seen = new Set<string>();
  const wanted: MissingPath[] = [];
  const want = (storePath: StorePath, referrer: StorePath | undefined): void => {
    if (seen.has(storePath.hashPart)) return;
    seen.add(storePath.hashPart);
    wanted.push({ storePath, referrer });
  };
  const visit = async (it: MissingPath): Promise<void> => {
    const { hashPart } = it.storePath;
    if ((await leaveOut?.(hashPart, signal)) === true) return;
    const pathInfo = await pathInfos.get(hashPart, signal);
    if (pathInfo === undefined) {
      missing.push(it);
      return;
    }
    found.set(hashPart, pathInfo);
    for (const reference of pathInfo.references) want(reference, pathInfo.storePath);
  };
  for (const root of roots) want(root, undefined);
  await drain(wanted, { visit, maxRequests, signal });
  return { pathInfos: referencesFirst(found), missing };
}

/** As `readPathClosure`, but throws `StoreError` (`not-found`), which names all that is missing. */
export async function requirePathClosure(
  roots: Iterable<StorePath>,
  options: ClosureOptions,
  signal?: AbortSignal,
): Promise<readonly PathInfo[]> {
  const { pathInfos, missing } = await readPathClosure(roots, options, signal);
  if (missing.length === 0) return pathInfos;
  const names = missing.map(({ storePath, referrer }) =>
    referrer === undefined
      ? storePath.baseName
      : `${storePath.baseName}, to which ${referrer.baseName} refers`,
  );
  throw new StoreError('not-found', `the closure is incomplete: not there are ${names.join('; ')}`);
}

/** Path infos by hash part, each after those that it refers to; what is in a circle of references comes last. */
export function referencesFirst(pathInfos: ReadonlyMap<string, PathInfo>): readonly PathInfo[] {
  const order = parentsFirst(pathInfos.keys(), (hashPart) => referencesOf(pathInfos.get(hashPart)));
  const ordered = new Set(order);
  const inCircles = [...pathInfos.keys()].filter((hashPart) => !ordered.has(hashPart));
  return [...order.toReversed(), ...inCircles].flatMap((hashPart) => pathInfos.get(hashPart) ?? []);
}

/** Hash parts of what it refers to, itself left out. */
export function referencesOf(pathInfo: PathInfo | undefined): string[] {
  if (pathInfo === undefined) return [];
  const own = pathInfo.storePath.hashPart;
  return pathInfo.references.map(({ hashPart }) => hashPart).filter((hashPart) => hashPart !== own);
}

/**
 * The paths whose references lead to one of `targets`, themselves left out; for services without an inventory all path
 * infos are read.
 */
export async function readReferrers(
  targets: Iterable<StorePath>,
  { pathInfos, recursive = true }: { readonly pathInfos: PathInfoService; readonly recursive?: boolean },
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const referrersOf = await referrerLookup(pathInfos, signal);
  const found = new Set(Array.from(targets, ({ hashPart }) => hashPart));
  const given = found.size;
  let index = 0;
  // The set grows while it is walked.
  for (const hashPart of found) {
    if (!recursive && index++ >= given) break;
    for (const referrer of await referrersOf(hashPart)) found.add(referrer);
  }
  return [...found].slice(given);
}

async function referrerLookup(
  pathInfos: PathInfoService,
  signal?: AbortSignal,
): Promise<(hashPart: string) => Promise<readonly string[]>> {
  const { inventory } = pathInfos;
  if (inventory !== undefined) return (hashPart) => inventory.referrers(hashPart, signal);
  const referrers = new Map<string, string[]>();
  for await (const pathInfo of pathInfos.list(signal)) {
    for (const reference of referencesOf(pathInfo)) {
      const known = referrers.get(reference);
      if (known === undefined) referrers.set(reference, [pathInfo.storePath.hashPart]);
      else known.push(pathInfo.storePath.hashPart);
    }
  }
  return async (hashPart) => referrers.get(hashPart) ?? [];
}

type DrainOptions<T> = {
  readonly visit: (item: T) => Promise<void>;
  readonly maxRequests: number;
  readonly signal: AbortSignal | undefined;
};

/** Visits all items, those that visits add included. Throws the first error when all visits that were begun have ended. */
async function drain<T>(items: readonly T[], { visit, maxRequests, signal }: DrainOptions<T>): Promise<void> {
  const running = new Set<Promise<void>>();
  let next = 0;
  try {
    while (next < items.length || running.size > 0) {
      signal?.throwIfAborted();
      while (next < items.length && running.size < maxRequests) {
        const visiting: Promise<void> = visit(items[next++] as T).finally(() => running.delete(visiting));
        visiting.catch(() => undefined);
        running.add(visiting);
      }
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}
