/**
 * What one cache may give away of a castore that it shares with others: contents that a path info of this cache names. Contents
 * are asked for by their node or by the hash of their NAR, which anybody may have heard of; so a cache keeps a table from both
 * to its own paths, and asks it before it reads.
 *
 *     `n` + key of the node (`narTableKey`)      → hash parts
 *     `h` + SHA-256 of the NAR, hexadecimal      → hash parts
 *
 * A row is written with its path info and may outlive it: it counts only while the path info says the same.
 */
import { type Node, equalNodes } from '@neve/castore';
import type { Digest } from '@neve/bytes';
import type { PathInfo, PathInfoService } from '@neve/store';

/** Rows are pairs. Methods throw `CastoreError` (`io`). */
export interface ContentTable {
  add(keys: readonly string[], hashPart: string): Promise<void>;
  find(key: string): readonly string[];
}

export interface VisiblePathInfos extends PathInfoService {
  /** In one transaction where the service beneath can. */
  putAll(pathInfos: readonly PathInfo[], signal?: AbortSignal): Promise<readonly PathInfo[]>;
  /** A path info of this cache with that node. */
  findByNode(node: Node, signal?: AbortSignal): Promise<PathInfo | undefined>;
  findByNarHash(narHash: Digest, signal?: AbortSignal): Promise<PathInfo | undefined>;
}

/** Disposing of it leaves `inner` open. */
export function visiblePathInfos(inner: PathInfoService, table: ContentTable): VisiblePathInfos {
  const first = async (
    key: string,
    isRight: (pathInfo: PathInfo) => boolean,
    signal?: AbortSignal,
  ): Promise<PathInfo | undefined> => {
    for (const hashPart of table.find(key)) {
      const pathInfo = await inner.get(hashPart, signal);
      if (pathInfo !== undefined && isRight(pathInfo)) return pathInfo;
    }
    return undefined;
  };
  // Writes of one turn of the event loop are one transaction, so that no row is missing that a path info needs.
  const add = (pathInfo: PathInfo): Promise<void> =>
    table.add(contentKeysOf(pathInfo), pathInfo.storePath.hashPart);
  return {
    get: (hashPart, signal) => inner.get(hashPart, signal),
    has: (hashPart, signal) => inner.has(hashPart, signal),
    list: (signal) => inner.list(signal),
    put: async (pathInfo, signal) => (await Promise.all([inner.put(pathInfo, signal), add(pathInfo)]))[0],
    putAll: async (pathInfos, signal) =>
      (await Promise.all([putAll(inner, pathInfos, signal), ...pathInfos.map(add)]))[0],
    ...(inner.inventory === undefined ? {} : { inventory: inner.inventory }),
    findByNode: (node, signal) => first(nodeKey(node), (it) => equalNodes(it.node, node), signal),
    findByNarHash: (narHash, signal) => first(hashKey(narHash), (it) => it.narHash.equals(narHash), signal),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** One after the other where a service cannot do all at once. */
async function putAll(
  inner: PathInfoService,
  pathInfos: readonly PathInfo[],
  signal?: AbortSignal,
): Promise<readonly PathInfo[]> {
  if (inner.putAll !== undefined) return inner.putAll(pathInfos, signal);
  const stored: PathInfo[] = [];
  for (const it of pathInfos) stored.push(await inner.put(it, signal));
  return stored;
}

export function memoryContentTable(): ContentTable {
  const rows = new Map<string, Set<string>>();
  return {
    async add(keys, hashPart) {
      for (const key of keys) rows.set(key, new Set([...(rows.get(key) ?? []), hashPart]));
    },
    find: (key) => [...(rows.get(key) ?? [])],
  };
}

/** Under which a path info is found. */
export function contentKeysOf({ node, narHash }: PathInfo): readonly string[] {
  return [nodeKey(node), hashKey(narHash)];
}

function hashKey(narHash: Digest): string {
  return `h${narHash.format('hex')}`;
}

function nodeKey(node: Node): string {
  switch (node.kind) {
    case 'directory':
      return `nd${node.digest.hex}`;
    case 'file':
      return `n${node.executable ? 'x' : 'f'}${node.digest.hex}`;
    case 'symlink':
      return `nl${hexOf(node.target.bytes)}`;
  }
}

/** A target may be longer than a key of a table; those with the same beginning share a row. */
function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 256), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
