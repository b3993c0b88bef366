/**
 * Who builds what: machines with so many jobs at a time each, and this machine. The one with the least load for its speed is
 * taken, the faster one when that is the same. When all who could are busy, the first that is not any more is taken.
 */
import type { Machine } from './machines.ts';

/** `here`: this machine. */
export type Builder = Machine | 'here';

export type Slot = { readonly builder: Builder; readonly release: () => void };

export class MachineSlots {
  readonly #machines: readonly Machine[];
  readonly #jobsHere: number;
  readonly #busy = new Map<Builder, number>();
  readonly #disabled = new Set<Machine>();
  readonly #waiting: (() => void)[] = [];

  constructor(machines: readonly Machine[], jobsHere: number) {
    this.#machines = machines;
    this.#jobsHere = jobsHere;
  }

  /** Takes no more jobs: it cannot be reached. Those who wait for it look elsewhere. */
  disable(machine: Machine): void {
    this.#disabled.add(machine);
    this.#wakeAll();
  }

  /**
   * Waits for a job on one of the machines that `fits`; here only if `fitsHere`, and when no machine has one free, or first if
   * `prefersHere`. `undefined` when nobody is left who could ever do it.
   */
  async take(
    wish: {
      readonly fits: (machine: Machine) => boolean;
      readonly fitsHere: boolean;
      readonly prefersHere: boolean;
    },
    signal?: AbortSignal,
  ): Promise<Slot | undefined> {
    while (true) {
      signal?.throwIfAborted();
      const machines = this.#machines.filter(
        (it) => !this.#disabled.has(it) && it.maxJobs > 0 && wish.fits(it),
      );
      const fitsHere = wish.fitsHere && this.#jobsHere > 0;
      if (machines.length === 0 && !fitsHere) return undefined;
      const freeHere = fitsHere && this.#load('here') < this.#jobsHere;
      if (freeHere && wish.prefersHere) return this.#begin('here');
      const [best] = machines.filter((it) => this.#load(it) < it.maxJobs).sort((a, b) => this.#compare(a, b));
      if (best !== undefined) return this.#begin(best);
      if (freeHere) return this.#begin('here');
      await this.#wait(signal);
    }
  }

  #load(builder: Builder): number {
    return this.#busy.get(builder) ?? 0;
  }

  #compare(a: Machine, b: Machine): number {
    return this.#load(a) / a.speedFactor - this.#load(b) / b.speedFactor || b.speedFactor - a.speedFactor;
  }

  #begin(builder: Builder): Slot {
    this.#busy.set(builder, this.#load(builder) + 1);
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      this.#busy.set(builder, this.#load(builder) - 1);
      this.#wakeAll();
    };
    return { builder, release };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
