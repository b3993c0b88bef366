/**
 * Retention of the caches of a server, and then garbage collection of the castore that they share.
 *
 * The order makes it safe to stop anywhere, beside servers that go on: path infos go first, each before those that it refers
 * to, and only while nobody has used it since the oldest lease began. Then everything is a root that a cache still has, or that
 * was uploaded and waits for its narinfo; the rest goes as in `collectGarbage`, and stays if it was used since the oldest lease
 * began. When a cache cannot be read, nothing of the castore is removed.
 */
import { type Node, lastUsedPrecisionMs } from '@neve/castore';
import type { RemovalCondition } from '@neve/castore';
import { type PathInfo, collectGarbage, memoryPathInfos } from '@neve/store';
import type { CollectionReport } from '../../tenants/cache-administration.ts';
import type { CacheRecord } from '../../tenants/cache-record.ts';
import { type CachedPath, planRetention } from '../../tenants/retention.ts';
import { contentKeysOf } from '../../tenants/visible-path-infos.ts';
import type { CacheStorage, ServerFolder } from './server-folder.ts';

export type CollectCachesOptions = {
  readonly folder: ServerFolder;
  /** Retention of this cache only; of all unless given. */
  readonly name?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Paths that were used within this time stay; an hour unless given. */
  readonly graceMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** Throws `StoreError` and `CastoreError`. */
export async function collectCaches(
  options: CollectCachesOptions,
  signal?: AbortSignal,
): Promise<CollectionReport> {
  const { folder, name, dryRun = false, graceMs = defaultGraceMs, now = Date.now } = options;
  const startedMs = now();
  const records = await folder.registry.list();
  await using open = new OpenStorages();
  for (const record of records) open.storages.push({ record, storage: await folder.openCache(record) });
  const { storages } = open;
  if (!dryRun) {
    for (const { storage } of storages) await storage.pathInfos.inventory.announceCollection?.(startedMs);
  }
  const condition = removalCondition(startedMs, await folder.leases.oldestMs());
  const caches: CollectionReport['caches'][number][] = [];
  for (const { record, storage } of storages) {
    if (name !== undefined && name !== record.name) continue;
    caches.push(
      await applyRetention({ record, storage, condition, dryRun, graceMs, nowMs: startedMs }, signal),
    );
  }
  const roots = async (): Promise<{ readonly kind: 'node'; readonly node: Node }[]> => {
    const nodes: Node[] = [];
    for (const { storage } of storages) nodes.push(...(await neededNodes(storage, startedMs, signal)));
    return nodes.map((node) => ({ kind: 'node', node }));
  };
  const { freedBytes } = await collectGarbage(
    {
      store: { ...folder.castore, pathInfos: noPathInfos() },
      roots,
      oldestWriterMs: () => folder.leases.oldestMs(),
      dryRun,
      now: () => startedMs,
    },
    signal,
  );
  if (!dryRun) {
    await folder.castore.blobs.inventory?.removeLeftovers?.(signal);
    await folder.removeLeftovers();
  }
  return { caches, freedBytes };
}

const defaultGraceMs = 3_600_000;

class OpenStorages implements AsyncDisposable {
  readonly storages: { readonly record: CacheRecord; readonly storage: CacheStorage }[] = [];

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { storage } of this.storages) await storage[Symbol.asyncDispose]();
  }
}

/** What was found before the announcement has times that are only as precise as `lastUsedPrecisionMs`. */
function removalCondition(startedMs: number, oldestWriterMs: number | undefined): RemovalCondition {
  if (oldestWriterMs === undefined) return { unusedSinceMs: startedMs };
  return { unusedSinceMs: Math.min(startedMs, oldestWriterMs) - lastUsedPrecisionMs };
}

type Retention = {
  readonly record: CacheRecord;
  readonly storage: CacheStorage;
  readonly condition: RemovalCondition;
  readonly dryRun: boolean;
  readonly graceMs: number;
  readonly nowMs: number;
};

async function applyRetention(
  { record, storage, condition, dryRun, graceMs, nowMs }: Retention,
  signal?: AbortSignal,
): Promise<CollectionReport['caches'][number]> {
  const pathInfos = new Map<string, PathInfo>();
  const paths = new Map<string, CachedPath>();
  for await (const { hashPart, lastUsedMs, read } of storage.pathInfos.inventory.list(signal)) {
    const pathInfo = read();
    pathInfos.set(hashPart, pathInfo);
    const references = pathInfo.references.map((it) => it.hashPart);
    paths.set(hashPart, { references, narSize: pathInfo.narSize, lastUsedMs });
  }
  const pins = (await storage.pins.list()).flatMap(({ root }) =>
    root.kind === 'path' ? [root.storePath.hashPart] : [],
  );
  const policy = { maxAgeMs: record.maxAgeMs, maxBytes: record.maxBytes, graceMs };
  const plan = planRetention(paths, { policy, pins, nowMs });
  const removedPaths: string[] = [];
  let { keptPaths, keptBytes } = plan;
  for (const hashPart of plan.removed) {
    const pathInfo = pathInfos.get(hashPart);
    if (pathInfo === undefined) continue;
    // It stays as long as somebody uses it, or one that was to go and stayed refers to it.
    if (dryRun || (await removePathInfo(storage, pathInfo, condition))) {
      removedPaths.push(pathInfo.storePath.baseName);
    } else {
      keptPaths++;
      keptBytes += pathInfo.narSize;
    }
  }
  return { name: record.name, removedPaths, keptPaths, keptBytes };
}

/** Removes a path info and its rows among the contents; false when it stays. */
export async function removePathInfo(
  { pathInfos, contents, tellRemoved }: CacheStorage,
  pathInfo: PathInfo,
  condition: RemovalCondition,
): Promise<boolean> {
  const { hashPart } = pathInfo.storePath;
  if (!(await pathInfos.inventory.remove(hashPart, condition))) return false;
  tellRemoved(hashPart);
  await contents.forget(contentKeysOf(pathInfo), hashPart);
  return true;
}

async function neededNodes(
  { pathInfos, uploadedNars }: CacheStorage,
  nowMs: number,
  signal?: AbortSignal,
): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for await (const { read } of pathInfos.inventory.list(signal)) nodes.push(read().node);
  for (const { upload, expiresAtMs } of await uploadedNars.list()) {
    if (expiresAtMs > nowMs && expiresAtMs <= nowMs + longestWaitMs) nodes.push(upload.node);
  }
  return nodes;
}

/** A NAR that has its narinfo is remembered for longer, only by its name: it is the path then that keeps it. */
const longestWaitMs = 25 * 3600 * 1000;

/** What is needed is given as nodes: several caches may have different contents for one path. */
function noPathInfos(): ReturnType<typeof memoryPathInfos> {
  const none = memoryPathInfos();
  return Object.assign(none, { inventory: { ...none.inventory, announceCollection: async () => {} } });
}
