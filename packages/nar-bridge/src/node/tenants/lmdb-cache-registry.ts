/**
 * The caches of a server in an LMDB environment, which several processes change.
 *
 *     table 'caches'           name → JSON (`cache-record.ts`)
 *     table 'revoked-tokens'   id → JSON `{ id, revokedAtMs, expiresAtMs }`
 *
 * Tokens that have expired meanwhile are forgotten when another one is revoked.
 */
import { LmdbEnvironment, type LmdbTable } from '@neve/castore/node';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type CacheRecord, parseCacheRecord, printCacheRecord } from '../../tenants/cache-record.ts';
import {
  type CacheRegistry,
  type RevokedToken,
  cacheExists,
  noSuchCache,
} from '../../tenants/cache-registry.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function openCacheRegistry(path: string): Promise<CacheRegistry & AsyncDisposable> {
  return new LmdbCacheRegistry(await LmdbEnvironment.open(path));
}

class LmdbCacheRegistry implements CacheRegistry, AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #caches: LmdbTable;
  readonly #revoked: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#caches = environment.table('caches');
    this.#revoked = environment.table('revoked-tokens');
  }

  async get(name: string): Promise<CacheRecord | undefined> {
    return this.#read(name);
  }

  async list(): Promise<readonly CacheRecord[]> {
    return this.#caches.range().map(({ value }) => parseCacheRecord(value.toString(), nodeEd25519));
  }

  async create(record: CacheRecord): Promise<void> {
    const key = Buffer.from(record.name);
    await this.#environment.write(() => {
      if (this.#caches.has(key)) throw cacheExists(record.name);
      this.#caches.put(key, Buffer.from(printCacheRecord(record)));
    });
  }

  async update(name: string, change: (record: CacheRecord) => CacheRecord): Promise<CacheRecord> {
    return this.#environment.write(() => {
      const record = this.#read(name);
      if (record === undefined) throw noSuchCache(name);
      const next = change(record);
      this.#caches.put(Buffer.from(name), Buffer.from(printCacheRecord(next)));
      return next;
    });
  }

  async remove(name: string): Promise<CacheRecord | undefined> {
    return this.#environment.write(() => {
      const record = this.#read(name);
      this.#caches.remove(Buffer.from(name));
      return record;
    });
  }

  async revoke(token: RevokedToken): Promise<void> {
    await this.#environment.write(() => {
      const ended = this.#revoked.range().filter(({ value }) => hasEnded(value, token.revokedAtMs));
      for (const { key } of ended) this.#revoked.remove(key);
      this.#revoked.put(Buffer.from(token.id), Buffer.from(JSON.stringify(token)));
    });
  }

  async isRevoked(id: string): Promise<boolean> {
    const key = Buffer.from(id);
    // Ids of our own are never so long.
    return key.length === 0 || key.length > 512 || this.#revoked.has(key);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }

  #read(name: string): CacheRecord | undefined {
    const value = this.#caches.get(Buffer.from(name));
    return value === undefined ? undefined : parseCacheRecord(value.toString(), nodeEd25519);
  }
}

function hasEnded(value: Buffer, nowMs: number): boolean {
  try {
    // Only `revoke` writes rows.
    const { expiresAtMs } = JSON.parse(value.toString()) as RevokedToken;
    return expiresAtMs !== undefined && expiresAtMs < nowMs;
  } catch {
    return false;
  }
}
