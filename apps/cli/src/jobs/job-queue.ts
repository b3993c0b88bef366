/**
 * The attribute paths that are to be evaluated, given out in batches. A batch should take about half a second: long enough that
 * asking for it costs nothing, short enough that nobody waits long for the last one.
 *
 * Each worker has a stretch of its own: what it has found itself, names of a set before what is left of the set around it. Who has
 * nothing left takes half of the longest stretch, from its end. So neighbours, which have more in common than others, are evaluated in
 * one memory.
 */
import type { JobPath } from './job-path.ts';

const batchMs = 500;
const maxBatch = 256;
const firstBatch = 4;

export class JobQueue {
  /** By worker; the next path is the last. */
  readonly #stretches: JobPath[][];
  /** That a path took, of late. */
  #pathMs: number | undefined;

  constructor(workers: number) {
    this.#stretches = Array.from({ length: workers }, (_, worker) => (worker === 0 ? [[]] : []));
  }

  get size(): number {
    return this.#stretches.reduce((total, { length }) => total + length, 0);
  }

  /** Paths that come next for a worker, in this order. */
  add(paths: readonly JobPath[], worker: number): void {
    const stretch = this.#stretches[worker];
    for (let index = paths.length - 1; index >= 0; index -= 1) {
      const path = paths[index];
      if (path !== undefined) stretch?.push(path);
    }
  }

  /** The next batch of a worker; empty when there is nothing for the moment. */
  take(worker: number): readonly JobPath[] {
    let stretch = this.#stretches[worker] ?? [];
    if (stretch.length === 0) {
      stretch = this.#halfOfLongest();
      this.#stretches[worker] = stretch;
    }
    const { length } = stretch;
    const wanted = this.#pathMs === undefined ? firstBatch : Math.ceil(batchMs / this.#pathMs);
    // Something is left for who has nothing.
    const fair = Math.ceil(length / 2);
    const count = Math.max(1, Math.min(wanted, fair, maxBatch));
    return stretch.splice(Math.max(0, length - count)).toReversed();
  }

  /** So long a batch took. */
  taken(count: number, milliseconds: number): void {
    const pathMs = Math.max(milliseconds, 0.01) / Math.max(count, 1);
    this.#pathMs = this.#pathMs === undefined ? pathMs : (this.#pathMs + pathMs) / 2;
  }

  #halfOfLongest(): JobPath[] {
    const longest = this.#stretches.reduce((one, other) => (other.length > one.length ? other : one));
    return longest.splice(0, Math.ceil(longest.length / 2));
  }
}
