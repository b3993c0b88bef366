/**
 * Which of the paths that nothing needs go first when a store has to become smaller: those that were not used for the
 * longest time, but never one before the paths that refer to it. What a path frees is counted, not estimated: every
 * directory and blob knows how many are left that need it.
 */
import type { Directory, Node, RemovalCondition } from '@neve/castore';
import { referencesOf } from './closure.ts';
import type { GcPaths } from './gc.ts';
import { readClosure } from './nar-segments.ts';
import type { StoreServices } from './store-services.ts';

export type SizeSelection = {
  readonly store: StoreServices;
  readonly paths: GcPaths;
  /** Roots that are no paths. */
  readonly nodes: readonly Node[];
  readonly condition: RemovalCondition;
  /** Hash parts, each before those that it refers to. */
  readonly garbage: readonly string[];
  readonly maxStoreBytes: number;
};

/** The part of `garbage` that has to go, in an order in which it can go. */
export async function selectBySize(
  selection: SizeSelection,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { paths, garbage, maxStoreBytes } = selection;
  const usage = await countUsage(selection, signal);
  const selected: string[] = [];
  for (const hashPart of leastUsedFirst(garbage, paths)) {
    if (usage.totalBytes <= maxStoreBytes) break;
    selected.push(hashPart);
    const path = paths.get(hashPart);
    if (path !== undefined) usage.release(path.pathInfo.node);
  }
  return selected;
}

/** A path counts as used when one was that refers to it. */
function leastUsedFirst(garbage: readonly string[], paths: GcPaths): readonly string[] {
  const used = new Map(garbage.map((key) => [key, paths.get(key)?.lastUsedMs ?? 0]));
  for (const hashPart of garbage) {
    const time = used.get(hashPart) ?? 0;
    for (const reference of referencesOf(paths.get(hashPart)?.pathInfo)) {
      const own = used.get(reference);
      if (own !== undefined && own < time) used.set(reference, time);
    }
  }
  // Sorting keeps the order of equals, which is referrers first.
  return [...garbage].sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0));
}

class Usage {
  totalBytes = 0;
  readonly #directories: ReadonlyMap<string, Directory>;
  readonly #sizes: ReadonlyMap<string, number>;
  /** How many paths, pins and directories need each object. */
  readonly #counts = new Map<string, number>();

  constructor(directories: ReadonlyMap<string, Directory>, sizes: ReadonlyMap<string, number>) {
    this.#directories = directories;
    this.#sizes = sizes;
  }

  /** One more that needs the node. */
  hold(root: Node): void {
    this.#walk(root, (key) => {
      const count = this.#counts.get(key) ?? 0;
      this.#counts.set(key, count + 1);
      if (count === 0) this.totalBytes += this.#sizes.get(key) ?? 0;
      return count === 0;
    });
  }

  /** One less. */
  release(root: Node): void {
    this.#walk(root, (key) => {
      const count = (this.#counts.get(key) ?? 0) - 1;
      this.#counts.set(key, count);
      if (count === 0) this.totalBytes -= this.#sizes.get(key) ?? 0;
      return count === 0;
    });
  }

  isHeld(key: string): boolean {
    return (this.#counts.get(key) ?? 0) > 0;
  }

  /** Goes below a directory when `visit` says so. */
  #walk(root: Node, visit: (key: string) => boolean): void {
    const pending = [root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.kind === 'symlink' || !visit(objectKey(node)) || node.kind === 'file') continue;
      for (const { node: child } of this.#directories.get(node.digest.key)?.entries ?? [])
        pending.push(child);
    }
  }
}

/** What nothing holds at all goes in any case, so that it is not counted. */
async function countUsage(
  { store, paths, nodes, condition }: SizeSelection,
  signal?: AbortSignal,
): Promise<Usage> {
  const sizes = new Map<string, number>();
  const holders = [...nodes, ...Array.from(paths.values(), ({ pathInfo }) => pathInfo.node)];
  const directories = new Map<string, Directory>();
  for (const node of holders) {
    if (node.kind !== 'directory' || directories.has(node.digest.key)) continue;
    for (const [key, directory] of await readClosure(node, store.directories, signal))
      directories.set(key, directory);
  }
  const recent: { readonly key: string; readonly sizeBytes: number }[] = [];
  const add = (key: string, stored: { readonly sizeBytes: number; readonly lastUsedMs: number }): void => {
    sizes.set(key, stored.sizeBytes);
    if (stored.lastUsedMs >= condition.unusedSinceMs) recent.push({ key, sizeBytes: stored.sizeBytes });
  };
  for await (const it of store.directories.inventory?.list(signal) ?? []) add(`d${it.digest.key}`, it);
  for await (const it of store.blobs.inventory?.list(signal) ?? []) add(`b${it.digest.key}`, it);
  const usage = new Usage(directories, sizes);
  for (const node of holders) usage.hold(node);
  // What was used lately stays although nothing holds it.
  for (const { key, sizeBytes } of recent) if (!usage.isHeld(key)) usage.totalBytes += sizeBytes;
  return usage;
}

function objectKey(node: Exclude<Node, { readonly kind: 'symlink' }>): string {
  return `${node.kind === 'directory' ? 'd' : 'b'}${node.digest.key}`;
}
