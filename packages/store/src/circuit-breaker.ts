/**
 * Keeps off a service that has just failed: for a while everybody is told so at once, instead of waiting for it again.
 */
import { StoreError } from './store-error.ts';

export type CircuitBreakerOptions = {
  /** For messages. */
  readonly name: string;
  readonly pauseMs: number;
  /** Milliseconds since some moment. */
  readonly now?: () => number;
};

export class CircuitBreaker {
  readonly #name: string;
  readonly #pauseMs: number;
  readonly #now: () => number;
  #closedUntil = -Infinity;
  #cause: StoreError | undefined;

  constructor({ name, pauseMs, now = Date.now }: CircuitBreakerOptions) {
    this.#name = name;
    this.#pauseMs = pauseMs;
    this.#now = now;
  }

  /** Runs the work; an `io` failure of it closes the way for `pauseMs`. Throws `io` while that is so. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreError && error.code === 'io') this.#close(error);
      throw error;
    }
  }

  #check(): void {
    const remaining = this.#closedUntil - this.#now();
    if (remaining <= 0) return;
    const seconds = Math.ceil(remaining / 1000);
    throw new StoreError(
      'io',
      `${this.#name} is not asked for another ${seconds} s, because it failed: ${this.#cause?.message ?? ''}`,
      { cause: this.#cause },
    );
  }

  #close(error: StoreError): void {
    // Who was told to wait must not prolong it.
    if (this.#closedUntil > this.#now()) return;
    this.#closedUntil = this.#now() + this.#pauseMs;
    this.#cause = error;
  }
}
