/**
 * When what is stored in an LMDB environment was last used, precisely enough, and the start of the last garbage collection,
 * which everybody has to know who finds something:
 *
 *     table 'collection'   'started' → milliseconds since 1970: float64, big-endian
 *
 * A use is recorded when the recorded one is older than `lastUsedPrecisionMs`, or older than the collection: so whatever is
 * found after a collection began has a time after its beginning.
 */
import { lastUsedPrecisionMs } from '../blob-service.ts';
import type { LmdbEnvironment, LmdbTable } from './lmdb-environment.ts';

const startedKey = Buffer.from('started');

export class LastUse {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('collection');
  }

  /** Whether a recorded time need not be recorded anew, for uses at `nowMs`. That time itself need not. */
  freshness(nowMs: number = Date.now()): (timeMs: number | undefined) => boolean {
    const value = this.#table.get(startedKey);
    // Times in the future are those of a clock that was wrong; what is recorded now must be fresh in any case.
    const collectedMs = Math.min(nowMs, value?.length === 8 ? value.readDoubleBE() : 0);
    return (timeMs) =>
      timeMs !== undefined && Math.abs(nowMs - timeMs) < lastUsedPrecisionMs && timeMs >= collectedMs;
  }

  /** From now on, uses are recorded unless the recorded one is after `startedMs`. */
  async announceCollection(startedMs: number): Promise<void> {
    const value = Buffer.alloc(8);
    value.writeDoubleBE(startedMs);
    await this.#environment.write(() => this.#table.put(startedKey, value));
  }
}
