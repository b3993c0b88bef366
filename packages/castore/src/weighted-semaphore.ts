/**
 * A bound on what is going on at the same time: a number of permits, of which each task takes some. Tasks wait in the
 * order in which they came, so that a large one is not overtaken for ever by small ones.
 */

type Waiter = { readonly weight: number; readonly wake: () => void };

export class WeightedSemaphore {
  readonly #permits: number;
  #free: number;
  readonly #waiters: Waiter[] = [];

  constructor(permits: number) {
    this.#permits = permits;
    this.#free = permits;
  }

  /** Waits until `weight` permits are free, or all of them if it is more. The result gives them back, once. */
  async acquire(weight = 1): Promise<() => void> {
    const taken = Math.min(weight, this.#permits);
    if (this.#waiters.length > 0 || taken > this.#free) {
      await new Promise<void>((wake) => this.#waiters.push({ weight: taken, wake }));
    } else {
      this.#free -= taken;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += taken;
      this.#wakeWaiters();
    };
  }

  /** Takes the permits for those that it wakes, so that nobody comes between. */
  #wakeWaiters(): void {
    for (let first = this.#waiters[0]; first !== undefined; first = this.#waiters[0]) {
      if (first.weight > this.#free) return;
      this.#waiters.shift();
      this.#free -= first.weight;
      first.wake();
    }
  }
}
