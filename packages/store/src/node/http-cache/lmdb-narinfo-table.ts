/**
 * Narinfos that outlive the process, in a database that several processes and caches share.
 *
 *     key      name of the cache, NUL, hash part
 *     value    when it expires, milliseconds since 1970, 64-bit big-endian floating point; the narinfo, empty for none
 *
 * Nothing in it is needed: a record that is lost is asked for again. What has expired is removed when a table is opened, at
 * most once a day; the key that is one NUL holds the time of that.
 */
import { createHash } from 'node:crypto';
import { LmdbEnvironment, type LmdbTable } from '@neve/castore/node';
import type { NarInfoRecord, NarInfoTable } from '../../narinfo-memory.ts';

const purgeIntervalMs = 24 * 3600 * 1000;
const purgedKey = Buffer.from([0]);

export class LmdbNarInfoTable implements NarInfoTable {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;
  readonly #prefix: string;

  private constructor(environment: LmdbEnvironment, prefix: string) {
    this.#environment = environment;
    this.#table = environment.table('narinfos');
    this.#prefix = prefix;
  }

  /** Opens the database in a folder, which is made when it is missing. Throws `CastoreError` (`io`). */
  static async open(
    folder: string,
    { cache, now = Date.now }: { readonly cache: string; readonly now?: () => number },
  ): Promise<LmdbNarInfoTable> {
    // A URL may be longer than a key.
    const prefix = cache.length <= 512 ? cache : createHash('sha256').update(cache).digest('hex');
    const table = new LmdbNarInfoTable(await LmdbEnvironment.open(folder), prefix);
    await table.#purge(now());
    return table;
  }

  async find(hashPart: string): Promise<NarInfoRecord | undefined> {
    const value = this.#table.get(this.#key(hashPart));
    if (value === undefined) return undefined;
    const text = value.toString('utf8', 8);
    return { text: text === '' ? undefined : text, expiresAtMs: value.readDoubleBE(0) };
  }

  async record(hashPart: string, { text = '', expiresAtMs }: NarInfoRecord): Promise<void> {
    const value = Buffer.concat([timestamp(expiresAtMs), Buffer.from(text, 'utf8')]);
    await this.#environment.write(() => this.#table.put(this.#key(hashPart), value));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }

  #key(hashPart: string): Buffer {
    return Buffer.from(`${this.#prefix}\0${hashPart}`, 'utf8');
  }

  async #purge(nowMs: number): Promise<void> {
    const last = this.#table.get(purgedKey)?.readDoubleBE(0) ?? 0;
    if (nowMs - last < purgeIntervalMs) return;
    await this.#environment.write(() => {
      const expired: Buffer[] = [];
      for (const { key, value } of this.#table.rows()) {
        if (value.readDoubleBE(0) <= nowMs) expired.push(key);
      }
      for (const key of expired) this.#table.remove(key);
      this.#table.put(purgedKey, timestamp(nowMs));
    });
  }
}

function timestamp(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(ms);
  return bytes;
}
