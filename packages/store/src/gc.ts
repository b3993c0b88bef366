/**
 * Garbage collection over the inventories of a store's services.
 *
 * Kept is what the roots reach, what the policy spares, and what was used since the collection began or, if there are
 * leases, since the oldest writer that is still running began: a writer stores or asks for everything that it relies on.
 *
 * Order makes it safe to stop anywhere. Path infos go first, each before those that it refers to; then directories,
 * parents first; then blobs. So nothing that is left refers to what is gone. What is still needed is found out again after
 * the path infos are gone, because a path that somebody asked for meanwhile stays, with all that it needs. When something
 * that is kept cannot be read, nothing is removed: what it needs is not known.
 */
import { digestFromKey, childKeys, lastUsedPrecisionMs, parentsFirst } from '@neve/castore';
import type {
  BlobInventory,
  DirectoryInventory,
  DirectoryService,
  Node,
  RemovalCondition,
} from '@neve/castore';
import type { StorePath } from '@neve/nix-compat';
import { referencesOf } from './closure.ts';
import { selectBySize } from './gc-selection.ts';
import type { PathInfo } from './path-info.ts';
import type { PathInfoInventory } from './path-info-service.ts';
import type { Root } from './roots.ts';
import { StoreError } from './store-error.ts';
import type { StoreServices } from './store-services.ts';

export type GcOptions = {
  readonly store: StoreServices;
  /** Asked for after the start and after the writers, so that none is missed that a writer has made. */
  readonly roots: () => Promise<readonly Root[]>;
  /** When the oldest writer began that is still running, in milliseconds since 1970; asked for after the start. */
  readonly oldestWriterMs?: () => Promise<number | undefined>;
  /** Paths that no root reaches stay when they were used within this time, in milliseconds. */
  readonly keepUsedWithinMs?: number;
  /** Removes only as many paths as it takes until the store is not larger, those that were used last at the end. */
  readonly maxStoreBytes?: number;
  /** Finds out what would be removed, and removes nothing. */
  readonly dryRun?: boolean;
  readonly onEvent?: (event: GcEvent) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

export type GcEvent =
  | { readonly kind: 'marked'; readonly keptPaths: number; readonly garbagePaths: number }
  | { readonly kind: 'path'; readonly storePath: StorePath }
  | { readonly kind: 'directories'; readonly count: number; readonly freedBytes: number }
  | { readonly kind: 'blobs'; readonly count: number; readonly freedBytes: number };

/** In a dry run, what would be removed. */
export type GcResult = {
  readonly paths: readonly StorePath[];
  readonly keptPaths: number;
  /** What nothing needs; those that were used lately are among them, and stay. */
  readonly garbageDirectories: number;
  readonly garbageBlobs: number;
  readonly freedBytes: number;
  /** Roots that are not in the store. */
  readonly missingRoots: readonly StorePath[];
};

/** A path info as garbage collection sees it. */
export type GcPath = { readonly pathInfo: PathInfo; readonly lastUsedMs: number };

export type GcPaths = ReadonlyMap<string, GcPath>;

const batchSize = 1000;

/** Throws `StoreError`: `unsupported` without inventories, `corrupt` and `not-found` when what is kept is damaged. */
export async function collectGarbage(options: GcOptions, signal?: AbortSignal): Promise<GcResult> {
  const { store, now = Date.now, dryRun = false, onEvent } = options;
  const startedMs = now();
  const inventories = requireInventories(store);
  const isAnnounced = await announce(inventories, startedMs, dryRun);
  const condition = removalCondition(startedMs, {
    isAnnounced,
    oldestWriterMs: await options.oldestWriterMs?.(),
  });
  const roots = await options.roots();
  const nodes = roots.flatMap((root) => (root.kind === 'node' ? [root.node] : []));
  const paths = await readPaths(inventories.pathInfos, signal);
  const garbage = await selectGarbage({ ...options, roots, paths, condition, startedMs, nodes }, signal);
  const hashParts = new Set(garbage);
  const keptNodes = [...paths]
    .filter(([key]) => !hashParts.has(key))
    .map(([, { pathInfo }]) => pathInfo.node);
  // What is damaged is met here, before anything is removed.
  let needed = await markNodes([...nodes, ...keptNodes], store.directories, signal);
  onEvent?.({ kind: 'marked', keptPaths: paths.size - garbage.length, garbagePaths: garbage.length });
  let removed = garbage.flatMap((it) => paths.get(it)?.pathInfo.storePath ?? []);
  if (!dryRun) {
    removed = await sweepPaths(
      { garbage, paths, inventory: inventories.pathInfos, condition, onEvent },
      signal,
    );
    needed = await markRemaining({ store, inventories, nodes, needed, paths, garbage: hashParts }, signal);
  }
  const directories = await sweepDirectories({ ...inventories, store, needed, condition, dryRun }, signal);
  onEvent?.({ kind: 'directories', ...directories });
  const blobs = await sweepBlobs({ ...inventories, needed, condition, dryRun }, signal);
  onEvent?.({ kind: 'blobs', ...blobs });
  return {
    paths: removed,
    keptPaths: paths.size - removed.length,
    garbageDirectories: directories.count,
    garbageBlobs: blobs.count,
    freedBytes: directories.freedBytes + blobs.freedBytes,
    missingRoots: roots.flatMap((root) =>
      root.kind === 'path' && !paths.has(root.storePath.hashPart) ? [root.storePath] : [],
    ),
  };
}

type Inventories = {
  readonly pathInfos: PathInfoInventory;
  readonly directories: DirectoryInventory;
  readonly blobs: BlobInventory;
};

function requireInventories({ pathInfos, directories, blobs }: StoreServices): Inventories {
  const missing = (what: string): StoreError =>
    new StoreError(
      'unsupported',
      `garbage cannot be collected: the ${what} service does not own what it stores`,
    );
  if (pathInfos.inventory === undefined) throw missing('path info');
  if (directories.inventory === undefined) throw missing('directory');
  if (blobs.inventory === undefined) throw missing('blob');
  return { pathInfos: pathInfos.inventory, directories: directories.inventory, blobs: blobs.inventory };
}

/**
 * Whether everybody records a time after `startedMs` for what is found from now on. It has to be said before the leases are
 * looked at: a writer whose lease is not seen finds nothing before it is said.
 */
async function announce(inventories: Inventories, startedMs: number, dryRun: boolean): Promise<boolean> {
  const { blobs, directories, pathInfos } = inventories;
  const all = [blobs, directories, pathInfos];
  if (all.some((it) => it.announceCollection === undefined)) return false;
  if (!dryRun) for (const it of all) await it.announceCollection?.(startedMs);
  return true;
}

type Writers = { readonly isAnnounced: boolean; readonly oldestWriterMs: number | undefined };

/** What was found before the announcement has times that are only as precise as `lastUsedPrecisionMs`. */
function removalCondition(startedMs: number, { isAnnounced, oldestWriterMs }: Writers): RemovalCondition {
  if (isAnnounced && oldestWriterMs === undefined) return { unusedSinceMs: startedMs };
  return { unusedSinceMs: Math.min(startedMs, oldestWriterMs ?? startedMs) - lastUsedPrecisionMs };
}

async function readPaths(inventory: PathInfoInventory, signal?: AbortSignal): Promise<GcPaths> {
  const paths = new Map<string, GcPath>();
  for await (const { hashPart, lastUsedMs, read } of inventory.list(signal)) {
    paths.set(hashPart, { pathInfo: read(), lastUsedMs });
  }
  return paths;
}

type Selection = Omit<GcOptions, 'roots'> & {
  readonly roots: readonly Root[];
  readonly paths: GcPaths;
  readonly condition: RemovalCondition;
  readonly startedMs: number;
  /** Roots that are no paths. */
  readonly nodes: readonly Node[];
};

/** Hash parts of what shall be removed, each before those that it refers to. */
async function selectGarbage(selection: Selection, signal?: AbortSignal): Promise<readonly string[]> {
  const { paths, condition, startedMs, keepUsedWithinMs = 0, maxStoreBytes } = selection;
  const rootPaths = selection.roots.map((root) => (root.kind === 'path' ? root.storePath.hashPart : ''));
  const sparedSinceMs = Math.min(condition.unusedSinceMs, startedMs - keepUsedWithinMs);
  const spared = [...paths].filter(([, { lastUsedMs }]) => lastUsedMs >= sparedSinceMs).map(([key]) => key);
  const kept = reach([...rootPaths, ...spared], paths);
  const garbage = referrersFirst(
    [...paths.keys()].filter((key) => !kept.has(key)),
    paths,
  );
  if (maxStoreBytes === undefined) return garbage;
  return selectBySize({ ...selection, garbage, maxStoreBytes }, signal);
}

function reach(hashParts: Iterable<string>, paths: GcPaths): ReadonlySet<string> {
  const reached = new Set(hashParts);
  // The set grows while it is walked.
  for (const hashPart of reached) {
    for (const reference of referencesOf(paths.get(hashPart)?.pathInfo)) reached.add(reference);
  }
  return reached;
}

/** What is in a circle of references, which no path should be, is last. */
function referrersFirst(hashParts: readonly string[], paths: GcPaths): readonly string[] {
  const order = parentsFirst(hashParts, (key) => referencesOf(paths.get(key)?.pathInfo));
  return [...new Set([...order, ...hashParts])];
}

type PathSweep = {
  readonly garbage: readonly string[];
  readonly paths: GcPaths;
  readonly inventory: PathInfoInventory;
  readonly condition: RemovalCondition;
  readonly onEvent: GcOptions['onEvent'];
};

/** What stays, because somebody uses it now, keeps all that it refers to. */
async function sweepPaths(sweep: PathSweep, signal?: AbortSignal): Promise<StorePath[]> {
  const { garbage, paths, inventory, condition, onEvent } = sweep;
  const removed: StorePath[] = [];
  const kept = new Set<string>();
  for (const hashPart of garbage) {
    signal?.throwIfAborted();
    const path = paths.get(hashPart);
    if (path === undefined) continue;
    if (!kept.has(hashPart) && (await inventory.remove(hashPart, condition, signal))) {
      removed.push(path.pathInfo.storePath);
      onEvent?.({ kind: 'path', storePath: path.pathInfo.storePath });
      continue;
    }
    kept.add(hashPart);
    for (const reference of referencesOf(path.pathInfo)) kept.add(reference);
  }
  return removed;
}

/** Keys of digests. */
type Needed = { readonly directories: Set<string>; readonly blobs: Set<string> };

/** Everything that the nodes are made of. */
async function markNodes(
  nodes: Iterable<Node>,
  directories: DirectoryService,
  signal?: AbortSignal,
): Promise<Needed> {
  const needed: Needed = { directories: new Set(), blobs: new Set() };
  for (const node of nodes) {
    if (node.kind === 'file') needed.blobs.add(node.digest.key);
    if (node.kind !== 'directory' || needed.directories.has(node.digest.key)) continue;
    let isThere = false;
    for await (const directory of directories.closure(node.digest, signal)) {
      isThere = true;
      needed.directories.add(directory.digest.key);
      for (const { node: child } of directory.entries) {
        if (child.kind === 'file') needed.blobs.add(child.digest.key);
      }
    }
    if (isThere) continue;
    throw new StoreError(
      'not-found',
      `garbage cannot be collected: the directory ${node.digest.toString()}, which is needed, is not there; verify and repair the store`,
    );
  }
  return needed;
}

type Remaining = {
  readonly store: StoreServices;
  readonly inventories: Inventories;
  readonly nodes: readonly Node[];
  readonly needed: Needed;
  readonly paths: GcPaths;
  readonly garbage: ReadonlySet<string>;
};

/** Adds what those path infos need that came, or were to go and stayed. */
async function markRemaining(remaining: Remaining, signal?: AbortSignal): Promise<Needed> {
  const { store, inventories, needed, paths, garbage } = remaining;
  const added: Node[] = [];
  for await (const { hashPart, read } of inventories.pathInfos.list(signal)) {
    if (!paths.has(hashPart) || garbage.has(hashPart)) added.push(read().node);
  }
  const more = await markNodes(added, store.directories, signal);
  return {
    directories: new Set([...needed.directories, ...more.directories]),
    blobs: new Set([...needed.blobs, ...more.blobs]),
  };
}

type Sweep = {
  readonly needed: Needed;
  readonly condition: RemovalCondition;
  readonly dryRun: boolean;
};

type Swept = { readonly count: number; readonly freedBytes: number };

async function sweepDirectories(
  { directories, store, needed, condition, dryRun }: Sweep & Inventories & { readonly store: StoreServices },
  signal?: AbortSignal,
): Promise<Swept> {
  const garbage: string[] = [];
  let wouldFreeBytes = 0;
  for await (const { digest, sizeBytes, lastUsedMs } of directories.list(signal)) {
    if (needed.directories.has(digest.key)) continue;
    garbage.push(digest.key);
    if (lastUsedMs < condition.unusedSinceMs) wouldFreeBytes += sizeBytes;
  }
  if (dryRun) return { count: garbage.length, freedBytes: wouldFreeBytes };
  const children = await readChildren(garbage, store.directories, signal);
  const order = parentsFirst(garbage, (key) => children.get(key) ?? []);
  let freedBytes = 0;
  for (const batch of batches(order)) {
    freedBytes += await directories.remove(batch.map(digestFromKey), condition, signal);
  }
  await markUsedDirectories({ directories, store, needed }, signal);
  return { count: garbage.length, freedBytes };
}

/**
 * Adds the blobs of directories that nothing needs and that stay, because somebody used them lately: whoever found a
 * directory need not have looked for what is in it.
 */
async function markUsedDirectories(
  {
    directories,
    store,
    needed,
  }: Pick<Sweep, 'needed'> & { directories: DirectoryInventory; store: StoreServices },
  signal?: AbortSignal,
): Promise<void> {
  for await (const { digest } of directories.list(signal)) {
    if (needed.directories.has(digest.key)) continue;
    const directory = await store.directories.get(digest, signal).catch(() => undefined);
    for (const { node } of directory?.entries ?? []) {
      if (node.kind === 'file') needed.blobs.add(node.digest.key);
    }
  }
}

/** What cannot be read has no children that anybody could need. */
async function readChildren(
  keys: readonly string[],
  directories: DirectoryService,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string[]>> {
  const children = new Map<string, string[]>();
  for (const key of keys) {
    signal?.throwIfAborted();
    const directory = await directories.get(digestFromKey(key), signal).catch(() => undefined);
    children.set(key, childKeys(directory));
  }
  return children;
}

async function sweepBlobs(
  { blobs, needed, condition, dryRun }: Sweep & Inventories,
  signal?: AbortSignal,
): Promise<Swept> {
  const garbage: string[] = [];
  let wouldFreeBytes = 0;
  for await (const { digest, sizeBytes, lastUsedMs } of blobs.list(signal)) {
    if (needed.blobs.has(digest.key)) continue;
    garbage.push(digest.key);
    if (lastUsedMs < condition.unusedSinceMs) wouldFreeBytes += sizeBytes;
  }
  if (dryRun) return { count: garbage.length, freedBytes: wouldFreeBytes };
  let freedBytes = 0;
  for (const batch of batches(garbage)) {
    freedBytes += await blobs.remove(batch.map(digestFromKey), condition, signal);
  }
  return { count: garbage.length, freedBytes };
}

function* batches(keys: readonly string[]): Generator<readonly string[], void, void> {
  for (let start = 0; start < keys.length; start += batchSize) yield keys.slice(start, start + batchSize);
}
