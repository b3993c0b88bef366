/**
 * Leases for requests. Each needs one while it stores or reads, and to record one is a write on disk; so those that come within
 * a while share one, and a new one is taken for those that come later: a lease does not become old because there is always
 * somebody.
 */
import type { Lease, Leases } from '@neve/store/node';

/** Requests that come within this time share a lease. */
const sharedMs = 60_000;

/** How long a lease stays that nobody holds: the next request is often close. */
const lingerMs = 2_000;

type Generation = { readonly lease: Promise<Lease>; readonly startedMs: number; holders: number };

/** Disposing of it ends the leases, also those that are held. */
export class SharedLease implements AsyncDisposable {
  readonly #leases: Leases;
  readonly #open = new Set<Generation>();
  #current: Generation | undefined;

  constructor(leases: Leases) {
    this.#leases = leases;
  }

  /** When it is fulfilled, everybody sees a lease that is at least as old. */
  async hold(): Promise<AsyncDisposable> {
    const generation = this.#generation();
    generation.holders++;
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      generation.holders--;
      if (generation.holders === 0) this.#endLater(generation);
    };
    try {
      await generation.lease;
    } catch (error) {
      await release();
      throw error;
    }
    return { [Symbol.asyncDispose]: release };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#current = undefined;
    await Promise.allSettled([...this.#open].map((it) => this.#end(it)));
  }

  #generation(): Generation {
    const now = performance.now();
    if (this.#current !== undefined && now - this.#current.startedMs < sharedMs) return this.#current;
    const generation = { lease: this.#leases.acquire(), startedMs: now, holders: 0 };
    const earlier = this.#current;
    this.#current = generation;
    this.#open.add(generation);
    generation.lease.catch(() => this.#forget(generation));
    if (earlier?.holders === 0) this.#endLater(earlier);
    return generation;
  }

  #endLater(generation: Generation): void {
    setTimeout(() => {
      if (generation.holders === 0) void this.#end(generation).catch(() => undefined);
    }, lingerMs).unref();
  }

  async #end(generation: Generation): Promise<void> {
    if (!this.#open.has(generation)) return;
    this.#forget(generation);
    const lease = await generation.lease;
    await lease[Symbol.asyncDispose]();
  }

  #forget(generation: Generation): void {
    this.#open.delete(generation);
    if (this.#current === generation) this.#current = undefined;
  }
}
