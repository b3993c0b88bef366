/**
 * Path infos in an LMDB environment, the default on a machine: several processes read and write it at once, and what was
 * acknowledged survives a crash.
 *
 *     table 'path-infos'   hash part:20 → time of last use, milliseconds since 1970: float64, big-endian | message `PathInfo`
 *     table 'referrers'    hash part:20 of the path that is referred to, hash part:20 of the one that refers → one zero byte
 *
 * Both change in one transaction. Asking for a path info writes nothing unless the recorded time is older than
 * `lastUsedPrecisionMs`. The message is described in `path-info-encoding.ts`.
 */
import { encodeNixBase32 } from '@neve/bytes';
import type { RemovalCondition } from '@neve/castore';
import { LastUse, LmdbEnvironment } from '@neve/castore/node';
import type { LmdbTable } from '@neve/castore/node';
import { referencesOf } from '../closure.ts';
import { hashPartBytes } from '../hash-part.ts';
import { mergeSignatures } from '../merge-signatures.ts';
import { decodePathInfo, encodePathInfo } from '../path-info-encoding.ts';
import type { PathInfo } from '../path-info.ts';
import type { PathInfoInventory, PathInfoService, StoredPathInfo } from '../path-info-service.ts';
import { StoreError } from '../store-error.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbPathInfos(
  path: string,
): Promise<PathInfoService & { readonly inventory: PathInfoInventory }> {
  return new LmdbPathInfos(await LmdbEnvironment.open(path));
}

const digestLength = 20;
const timeLength = 8;
const present = Buffer.alloc(1);

class LmdbPathInfos implements PathInfoService {
  readonly #environment: LmdbEnvironment;
  readonly #pathInfos: LmdbTable;
  readonly #referrers: LmdbTable;
  readonly #lastUse: LastUse;
  readonly inventory: PathInfoInventory;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#pathInfos = environment.table('path-infos');
    this.#referrers = environment.table('referrers');
    this.#lastUse = new LastUse(environment);
    this.inventory = {
      list: (signal) => this.#listStored(signal),
      remove: (hashPart, condition) => this.#remove(hashPart, condition),
      announceCollection: (startedMs) => this.#lastUse.announceCollection(startedMs),
      referrers: async (hashPart) => this.#referrersOf(keyOf(hashPart)),
    };
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    const value = await this.#use(hashPart, signal);
    return value === undefined ? undefined : decodeStored(hashPart, value);
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#use(hashPart, signal)) !== undefined;
  }

  async put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    signal?.throwIfAborted();
    // Refused here, not in the transaction.
    encodePathInfo(pathInfo);
    return await this.#environment.write(() => this.#store(pathInfo));
  }

  async putAll(pathInfos: readonly PathInfo[], signal?: AbortSignal): Promise<readonly PathInfo[]> {
    signal?.throwIfAborted();
    for (const it of pathInfos) encodePathInfo(it);
    return await this.#environment.write(() => pathInfos.map((it) => this.#store(it)));
  }

  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo, void, void> {
    for await (const { read } of this.#listStored(signal)) yield read();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }

  /** Inside of a write transaction. */
  #store(pathInfo: PathInfo): PathInfo {
    const { hashPart } = pathInfo.storePath;
    const key = keyOf(hashPart);
    const earlier = this.#readEarlier(hashPart);
    const next = mergeSignatures(earlier, pathInfo);
    for (const reference of referencesOf(earlier)) this.#referrers.remove(pairOf(reference, key));
    for (const reference of referencesOf(next)) this.#referrers.put(pairOf(reference, key), present);
    this.#pathInfos.put(key, encodeStored(Date.now(), encodePathInfo(next)));
    return next;
  }

  /** What is stored, after its time of last use was recorded. */
  async #use(hashPart: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    signal?.throwIfAborted();
    const key = keyOf(hashPart);
    const value = this.#pathInfos.get(key);
    if (value === undefined || this.#lastUse.freshness()(lastUsed(value))) return value;
    return this.#environment.write(() => {
      // It may be gone, or another one, since it was read.
      const current = this.#pathInfos.get(key);
      if (current !== undefined)
        this.#pathInfos.put(key, encodeStored(Date.now(), current.subarray(timeLength)));
      return current;
    });
  }

  async #remove(hashPart: string, { unusedSinceMs }: RemovalCondition): Promise<boolean> {
    const key = keyOf(hashPart);
    return this.#environment.write(() => {
      const value = this.#pathInfos.get(key);
      if (value === undefined || lastUsed(value) >= unusedSinceMs) return false;
      if (unusedSinceMs !== Infinity && this.#referrersOf(key).length > 0) return false;
      for (const reference of referencesOf(this.#readEarlier(hashPart))) {
        this.#referrers.remove(pairOf(reference, key));
      }
      return this.#pathInfos.remove(key);
    });
  }

  /** Hash parts of those that refer to it and are there. */
  #referrersOf(key: Buffer): readonly string[] {
    const start = Buffer.concat([key, Buffer.alloc(digestLength)]);
    const end = Buffer.concat([key, Buffer.alloc(digestLength + 1, 0xff)]);
    return this.#referrers
      .keys({ start, end })
      .map((pair) => pair.subarray(digestLength))
      .filter((referrer) => this.#pathInfos.has(referrer))
      .map((referrer) => encodeNixBase32(referrer));
  }

  /** A damaged one counts as none: it is replaced or removed as a whole. */
  #readEarlier(hashPart: string): PathInfo | undefined {
    const value = this.#pathInfos.get(keyOf(hashPart));
    try {
      return value === undefined ? undefined : decodeStored(hashPart, value);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async *#listStored(signal?: AbortSignal): AsyncGenerator<StoredPathInfo, void, void> {
    for (const { key, value } of this.#pathInfos.rows()) {
      signal?.throwIfAborted();
      const hashPart = encodeNixBase32(key);
      yield { hashPart, lastUsedMs: lastUsed(value), read: () => decodeStored(hashPart, value) };
    }
  }
}

function keyOf(hashPart: string): Buffer {
  return Buffer.from(hashPartBytes(hashPart));
}

/** The row that says that `referrer` refers to `reference`. */
function pairOf(reference: string, referrer: Buffer): Buffer {
  return Buffer.concat([keyOf(reference), referrer]);
}

function encodeStored(timeMs: number, encoded: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(timeLength + encoded.length);
  value.writeDoubleBE(timeMs);
  value.set(encoded, timeLength);
  return value;
}

function decodeStored(hashPart: string, value: Buffer): PathInfo {
  try {
    const pathInfo = decodePathInfo(value.subarray(timeLength));
    if (pathInfo.storePath.hashPart === hashPart) return pathInfo;
    throw new StoreError('corrupt', `it is that of ${pathInfo.storePath.baseName}`);
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new StoreError('corrupt', `the stored path info ${hashPart} is damaged: ${cause.message}`, {
      cause,
    });
  }
}

function lastUsed(value: Buffer): number {
  return value.length < timeLength ? 0 : value.readDoubleBE();
}
