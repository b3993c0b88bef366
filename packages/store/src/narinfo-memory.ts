/**
 * What a binary cache said lately: narinfos, and that there is none. Bounded; what was not asked for longest is forgotten
 * first. Times are those of Nix: a narinfo is believed for 30 days, an absence for an hour.
 */
export type NarInfoRecord = {
  /** The text of the narinfo; `undefined` says that there is none. */
  readonly text: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
};

/** Where records outlive the process. Records that have expired need not be given. Methods throw `StoreError` (`io`). */
export interface NarInfoTable extends AsyncDisposable {
  find(hashPart: string): Promise<NarInfoRecord | undefined>;
  record(hashPart: string, record: NarInfoRecord): Promise<void>;
}

export const narInfoTtlMs: number = 30 * 24 * 3600 * 1000;
export const absenceTtlMs: number = 3600 * 1000;

export type NarInfoMemoryOptions = {
  readonly maxEntries?: number;
  readonly table?: NarInfoTable | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** In front of a table, if there is one. */
export class NarInfoMemory {
  readonly #maxEntries: number;
  readonly #table: NarInfoTable | undefined;
  readonly #now: () => number;
  readonly #records = new Map<string, NarInfoRecord>();

  constructor({ maxEntries = 1 << 15, table, now = Date.now }: NarInfoMemoryOptions = {}) {
    this.#maxEntries = maxEntries;
    this.#table = table;
    this.#now = now;
  }

  async find(hashPart: string): Promise<NarInfoRecord | undefined> {
    const known = this.#records.get(hashPart) ?? (await this.#table?.find(hashPart));
    if (known === undefined || known.expiresAtMs <= this.#now()) {
      this.#records.delete(hashPart);
      return undefined;
    }
    this.#keep(hashPart, known);
    return known;
  }

  async record(hashPart: string, text: string | undefined): Promise<void> {
    const ttlMs = text === undefined ? absenceTtlMs : narInfoTtlMs;
    const record = { text, expiresAtMs: this.#now() + ttlMs };
    this.#keep(hashPart, record);
    await this.#table?.record(hashPart, record);
  }

  #keep(hashPart: string, record: NarInfoRecord): void {
    this.#records.delete(hashPart);
    this.#records.set(hashPart, record);
    const [oldest] = this.#records.keys();
    if (this.#records.size > this.#maxEntries && oldest !== undefined) this.#records.delete(oldest);
  }
}
