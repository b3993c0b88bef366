/**
 * The attribute paths that are to be evaluated, given out in batches. A batch should take about half a second: long enough that
 * asking for it costs nothing, short enough that nobody waits long for the last one.
 *
 * Names of a set come before what is left of the set around it, so that one worker has most of it.
 */
import type { JobPath } from './job-path.ts';

const batchMs = 500;
const maxBatch = 256;
const firstBatch = 4;

export class JobQueue {
  /** The next one is the last. */
  readonly #paths: JobPath[] = [[]];
  readonly #workers: number;
  /** That a path took, of late. */
  #pathMs: number | undefined;

  constructor(workers: number) {
    this.#workers = workers;
  }

  get size(): number {
    return this.#paths.length;
  }

  /** Paths that come next, in this order. */
  add(paths: readonly JobPath[]): void {
    for (let index = paths.length - 1; index >= 0; index -= 1) {
      const path = paths[index];
      if (path !== undefined) this.#paths.push(path);
    }
  }

  /** The next batch; empty when there is nothing for the moment. */
  take(): readonly JobPath[] {
    const { length } = this.#paths;
    const wanted = this.#pathMs === undefined ? firstBatch : Math.ceil(batchMs / this.#pathMs);
    // What is left is for all of them.
    const fair = Math.ceil(length / (2 * this.#workers));
    const count = Math.max(1, Math.min(wanted, fair, maxBatch));
    return this.#paths.splice(Math.max(0, length - count)).toReversed();
  }

  /** So long a batch took. */
  taken(count: number, milliseconds: number): void {
    const pathMs = Math.max(milliseconds, 0.01) / Math.max(count, 1);
    this.#pathMs = this.#pathMs === undefined ? pathMs : (this.#pathMs + pathMs) / 2;
  }
}
