/**
 * What was used last, up to a sum of costs: the least recently used goes first. A value may be too old to be given; then it is
 * as if it were not there.
 */
export type RecentMapOptions = {
  readonly maxCost: number;
  /** How long a value is given after it was set, in milliseconds; for ever unless given. */
  readonly maxAgeMs?: number;
  readonly now?: () => number;
};

type Row<V> = { readonly value: V; readonly cost: number; readonly expiresAtMs: number };

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
    if (row.expiresAtMs <= this.#now()) {
      this.delete(key);
      return undefined;
    }
    this.#rows.delete(key);
    this.#rows.set(key, row);
    return row.value;
  }

  set(key: string, value: V, cost = 1): void {
    this.delete(key);
    const { maxCost, maxAgeMs = Infinity } = this.#options;
    this.#rows.set(key, { value, cost, expiresAtMs: this.#now() + maxAgeMs });
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
