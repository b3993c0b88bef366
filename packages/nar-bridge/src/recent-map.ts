/**
 * What was used last, up to a sum of costs: the least recently used goes first, where uses within a second count as one. A value
 * may be too old to be given; then it is as if it were not there.
 */
export type RecentMapOptions = {
  readonly maxCost: number;
  /** How long a value is given after it was set, in milliseconds; for ever unless given. */
  readonly maxAgeMs?: number;
  readonly now?: () => number;
};

type Row<V> = {
  readonly value: V;
  readonly cost: number;
  readonly expiresAtMs: number;
  /** When it was put at the end of the order. */
  usedMs: number;
};

/** To keep the order costs more than to look a value up. */
const precisionMs = 1000;

export class RecentMap<V> {
  readonly #options: RecentMapOptions;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #rows = new Map<string, Row<V>>();
  #cost = 0;

  constructor(options: RecentMapOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  get(key: string): V | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    const nowMs = this.#now();
    if (row.expiresAtMs <= nowMs) {
      this.delete(key);
      return undefined;
    }
    if (nowMs - row.usedMs >= precisionMs) {
      row.usedMs = nowMs;
      this.#rows.delete(key);
      this.#rows.set(key, row);
    }
    return row.value;
  }

  set(key: string, value: V, cost = 1): void {
    this.delete(key);
    const { maxCost, maxAgeMs = Infinity } = this.#options;
    const usedMs = this.#now();
    this.#rows.set(key, { value, cost, expiresAtMs: usedMs + maxAgeMs, usedMs });
    this.#cost += cost;
    for (const oldest of this.#rows.keys()) {
      if (this.#cost <= maxCost) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#cost -= row.cost;
  }

  get size(): number {
    return this.#rows.size;
  }
}
