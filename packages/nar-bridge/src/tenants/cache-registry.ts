/**
 * The caches of a server by name, and the tokens that must not count any more. What is changed is seen by whoever asks next,
 * in every process that has the registry open.
 */
import { NarBridgeError } from '../nar-bridge-error.ts';
import type { CacheRecord } from './cache-record.ts';

export type RevokedToken = {
  readonly id: string;
  readonly revokedAtMs: number;
  /** When it ends by itself, so that the row is not needed any more. */
  readonly expiresAtMs: number | undefined;
};

export interface CacheRegistry {
  get(name: string): Promise<CacheRecord | undefined>;
  /** In the order of the names. */
  list(): Promise<readonly CacheRecord[]>;
  /** Throws `NarBridgeError` (`exists`). */
  create(record: CacheRecord): Promise<void>;
  /** What `change` makes of it is stored in one step. Throws `NarBridgeError` (`not-found`), and what `change` throws. */
  update(name: string, change: (record: CacheRecord) => CacheRecord): Promise<CacheRecord>;
  /** What was removed; nothing when there was none. */
  remove(name: string): Promise<CacheRecord | undefined>;

  revoke(token: RevokedToken): Promise<void>;
  isRevoked(id: string): Promise<boolean>;
}

export function memoryCacheRegistry(): CacheRegistry {
  const caches = new Map<string, CacheRecord>();
  const revoked = new Map<string, RevokedToken>();
  return {
    get: async (name) => caches.get(name),
    list: async () => [...caches.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async create(record) {
      if (caches.has(record.name)) throw cacheExists(record.name);
      caches.set(record.name, record);
    },
    async update(name, change) {
      const record = caches.get(name);
      if (record === undefined) throw noSuchCache(name);
      const next = change(record);
      caches.set(name, next);
      return next;
    },
    async remove(name) {
      const record = caches.get(name);
      caches.delete(name);
      return record;
    },
    revoke: async (token) => void revoked.set(token.id, token),
    isRevoked: async (id) => revoked.has(id),
  };
}

export function noSuchCache(name: string): NarBridgeError {
  return new NarBridgeError('not-found', `there is no cache '${name}'`);
}

export function cacheExists(name: string): NarBridgeError {
  return new NarBridgeError(
    'exists',
    `there is a cache '${name}' already; configure it, or choose another name`,
  );
}
