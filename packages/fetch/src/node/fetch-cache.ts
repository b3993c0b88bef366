/**
 * What is known of earlier fetches: one LMDB environment below the cache folder, which all processes share.
 *
 *     table 'fetches'   sha256 of a key:32 → JSON
 *     table 'locks'     sha256 of a name:32 → who has the lock (`ProcessLocks`)
 *
 * A key begins with what the row is about (`download`, `git-head`, …), then come URL and options; it is hashed since a URL may
 * be long and may hold a password. A row that cannot be read is as good as none.
 *
 * Contents that are remembered may have been collected as garbage since, so they are looked for before they are given.
 */
import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '@neve/bytes';
import { decodeEntry, encodeEntry } from '@neve/castore';
import type { BlobService, DirectoryService, Node } from '@neve/castore';
import { LmdbEnvironment, ProcessLocks } from '@neve/castore/node';

/** A tree or file that was fetched, with its NAR. */
export type KnownContents = {
  readonly node: Node;
  readonly narHash: Digest;
  readonly narSize: number;
};

export type Castore = { readonly blobs: BlobService; readonly directories: DirectoryService };

export type JsonRow = { readonly [name: string]: string | number };

export class FetchCache implements AsyncDisposable {
  readonly #folder: string;
  #environment: Promise<LmdbEnvironment> | undefined;

  /** The database is opened when it is first used. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(...key: readonly string[]): Promise<JsonRow | undefined> {
    const environment = await this.#open();
    return parseRow(environment.table('fetches').get(keyOf(key)));
  }

  async write(row: JsonRow, ...key: readonly string[]): Promise<void> {
    const environment = await this.#open();
    const table = environment.table('fetches');
    await environment.write(() => table.put(keyOf(key), Buffer.from(JSON.stringify(row))));
  }

  /** Waits until nobody else, in no process, has the lock of that name. Throws the reason of the signal. */
  async lock(name: string, signal?: AbortSignal): Promise<AsyncDisposable> {
    const locks = new ProcessLocks(await this.#open(), 'locks');
    return await locks.acquire([keyOf([name])], { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const environment = await this.#environment?.catch(() => undefined);
    this.#environment = undefined;
    await environment?.[Symbol.asyncDispose]();
  }

  #open(): Promise<LmdbEnvironment> {
    this.#environment ??= LmdbEnvironment.open(this.#folder);
    return this.#environment;
  }
}

export function encodeContents({ node, narHash, narSize }: KnownContents): JsonRow {
  return { node: Buffer.from(encodeEntry(node)).toString('base64'), narHash: narHash.format('sri'), narSize };
}

/** `undefined` unless the row is sound and the contents are still there. */
export async function findContents(
  row: JsonRow | undefined,
  castore: Castore,
  signal: AbortSignal | undefined,
): Promise<KnownContents | undefined> {
  const contents = row === undefined ? undefined : decodeContents(row);
  if (contents === undefined) return undefined;
  return (await isStored(contents.node, castore, signal)) ? contents : undefined;
}

function decodeContents({ node, narHash, narSize }: JsonRow): KnownContents | undefined {
  if (typeof node !== 'string' || typeof narHash !== 'string' || typeof narSize !== 'number')
    return undefined;
  try {
    return {
      node: decodeEntry(new Uint8Array(Buffer.from(node, 'base64'))).node,
      narHash: parseDigest(narHash),
      narSize,
    };
  } catch {
    return undefined;
  }
}

/** What a directory refers to is there as long as it is. */
async function isStored(
  node: Node,
  { blobs, directories }: Castore,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  switch (node.kind) {
    case 'directory':
      return (await directories.get(node.digest, signal)) !== undefined;
    case 'file':
      return await blobs.has(node.digest, signal);
    case 'symlink':
      return true;
  }
}

function keyOf(parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function parseRow(bytes: Buffer | undefined): JsonRow | undefined {
  if (bytes === undefined) return undefined;
  try {
    const row: unknown = JSON.parse(bytes.toString());
    // Only `write` and `change` make rows.
    return typeof row === 'object' && row !== null ? (row as JsonRow) : undefined;
  } catch {
    return undefined;
  }
}
