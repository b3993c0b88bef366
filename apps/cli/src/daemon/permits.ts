/** A bound on how many do something at the same time, which can say how many do and how many wait. */
import { WeightedSemaphore, abortable } from '@neve/castore';

export class Permits {
  readonly limit: number;
  readonly #semaphore: WeightedSemaphore;
  #running = 0;
  #waiting = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#semaphore = new WeightedSemaphore(limit);
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** In the order of coming. The result gives the permit back, once. Throws the reason of the signal. */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    const permit = this.#semaphore.acquire();
    this.#waiting++;
    let release: () => void;
    try {
      release = await abortable(permit, signal);
    } catch (cause) {
      // Whoever does not wait any more gives it back when it comes.
      void permit.then((it) => it());
      throw cause;
    } finally {
      this.#waiting--;
    }
    this.#running++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running--;
      release();
    };
  }
}
