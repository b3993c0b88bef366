/**
 * Runs evaluations on the core, and others beside them while they wait for the world.
 *
 * As long as every answer comes at once there is one fiber, and nothing here costs anything. When an answer is a promise,
 * what waits is asked what it will want in any case (`assembly/machine/siblings.ts`), and fibers evaluate that until each
 * of them has ended or waits as well: so all that can be asked for is asked for before anybody waits. The evaluation
 * that was asked for goes on as soon as it can, before all others.
 *
 * A fiber's result is not looked at: its use is what it leaves evaluated. One that fails is dropped, and its thunks are
 * as if it had not been: so whoever needs them meets the failure as if there were no fibers. Fibers live on between
 * evaluations, since one of them may have begun what the next evaluation needs.
 */
import { type Address, type Core, raised } from './core.ts';
import { EvalIOError } from './eval-io.ts';
import type { HostRequests, LateAnswer } from './host-requests.ts';
import type { Answer } from './eval-io.ts';
import { OutOfMemory } from './out-of-memory.ts';

const statusDone = 0;
const statusHost = 1;
const statusBlocked = 3;

/** Looks at the heap after which a fiber lets others come: some milliseconds. */
const looksAtATime = 16;
/** Fibers that are begun before the next of them is run. */
const begunAtATime = 16;
/** Milliseconds after which the event loop gets a turn, on which the world's answers depend. */
const turnMs = 10;
/** The same while nothing waits: for what may interrupt. A turn costs a millisecond. */
const interruptibleTurnMs = 50;

/** What an embedder's own walk through a value will want next: a value of the core, `undefined` when there is none. */
export type Offers = () => Address | undefined;

type Step = () => number;

/** What became of a fiber that ran. */
type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting'; readonly answer: Promise<LateAnswer> }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'paused'; readonly until?: Promise<void> | undefined }
  | { readonly kind: 'failed' };

type Fiber = {
  readonly address: Address;
  /** Runnable, waiting for the world, waiting for what another fiber evaluates, or no more. */
  state: 'ready' | 'waiting' | 'blocked' | 'dropped';
  /** How it goes on. */
  next: Step;
  /** The answer that it waits for. */
  awaited: Promise<LateAnswer> | undefined;
  /** Whether it may have more to offer to others while it waits. */
  mayOffer: boolean;
};

export type FiberOptions = {
  readonly core: Core;
  readonly requests: HostRequests;
  /** How many fibers there may be; with 1 nothing runs beside an evaluation. */
  readonly maximum: number;
  /** Whether an evaluation lets the event loop in now and then, and can be ended from there. */
  readonly isInterruptible: boolean;
  /** Called now and then: the evaluation that was asked for waits for what it returns. */
  readonly pause: (() => Promise<void> | undefined) | undefined;
  /** Called whenever the core was left: shows what the parser has to say. */
  readonly showWarnings: () => void;
  /** Runs a step of the evaluation that was asked for; what is not caught in the program is thrown. */
  readonly guard: (step: Step) => number;
  /** Makes a step which raises an error of the world; throws what is no error of the world. */
  readonly refusal: (error: unknown) => Step;
};

export class Fibers {
  readonly #core: Core;
  readonly #options: FiberOptions;
  /** The core's first fiber. */
  readonly #first: Address;
  /** The fiber of the evaluation that was asked for: the first one, or one of its own where that can be interrupted. */
  #main: Fiber;
  /** Whether something is being evaluated that can be interrupted, and why it is to end. */
  #isRunning = false;
  #interruption: Error | undefined;
  /** All others. */
  readonly #others = new Set<Fiber>();
  /** What walks outside of the core offer, the innermost last. */
  readonly #walks: Offers[] = [];
  #wake: () => void = () => {};
  #lastTurn = 0;

  constructor(options: FiberOptions) {
    this.#core = options.core;
    this.#options = options;
    this.#first = options.core.exports.fiber();
    this.#main = {
      address: this.#first,
      state: 'ready',
      next: () => options.core.run(),
      awaited: undefined,
      mayOffer: false,
    };
  }

  /** Runs what `begin` starts; the address of its result is valid until the core runs again. */
  evaluate(begin: () => void): Answer<Address> {
    if (this.#options.isInterruptible) return this.#evaluateInterruptibly(begin);
    try {
      begin();
      this.#main.next = this.#run;
      this.#main.state = 'ready';
      // Should an evaluation before have been left while it waited, its answer is nobody's.
      this.#main.awaited = undefined;
      const outcome = this.#profiled(() => this.#advance(this.#main));
      return outcome.kind === 'done' ? this.#core.exports.takeResult() : this.#finish(outcome);
    } catch (error) {
      if (error instanceof OutOfMemory) this.recover();
      throw error;
    }
  }

  /** Ends all that was begun before the memory was used up, and makes room. Nothing if there was no such thing. */
  recover(): void {
    if (!this.#core.isShort) return;
    this.#core.exports.enterFiber(this.#first);
    for (const fiber of [...this.#others]) this.#drop(fiber);
    this.#core.recover();
  }

  /** Ends what is being evaluated, if anything is, and what goes on beside it. */
  interrupt(reason: Error): void {
    if (!this.#isRunning) return;
    this.#interruption ??= reason;
    this.#wake();
  }

  /** Whatever waits during `walk` may be joined by what `offers` gives. */
  async during<T>(offers: Offers, walk: () => Promise<T>): Promise<T> {
    this.#walks.push(offers);
    try {
      return await walk();
    } finally {
      this.#walks.pop();
    }
  }

  readonly #run = (): number => this.#core.run();
  readonly #runBriefly = (): number => this.#core.runBriefly(looksAtATime);

  // ── The evaluation that was asked for ──

  /** In a fiber of its own, which leaves nothing when it is dropped before its end. */
  async #evaluateInterruptibly(begin: () => void): Promise<Address> {
    const { exports } = this.#core;
    this.#main = { ...this.#main, address: exports.beginFiber(), state: 'ready', next: this.#run };
    this.#isRunning = true;
    try {
      begin();
      const outcome = this.#profiled(() => this.#advance(this.#main));
      return outcome.kind === 'done' ? exports.takeResult() : await this.#finish(outcome);
    } finally {
      this.#isRunning = false;
      this.#main.awaited = undefined;
      if (this.#interruption !== undefined) for (const fiber of this.#others) this.#drop(fiber);
      this.#interruption = undefined;
      exports.endFiber(this.#main.address);
      this.recover();
    }
  }

  async #finish(first: Outcome): Promise<Address> {
    try {
      this.#park(this.#main, first);
      await this.#pause(first);
      while (true) {
        if (this.#interruption !== undefined) throw this.#interruption;
        if (this.#isReady(this.#main)) {
          this.#core.exports.enterFiber(this.#main.address);
          const outcome = this.#profiled(() => this.#advance(this.#main));
          if (outcome.kind === 'done') return this.#core.exports.takeResult();
          this.#park(this.#main, outcome);
          await this.#pause(outcome);
          continue;
        }
        const fiber = this.#choose();
        if (fiber !== undefined) {
          this.#profiled(() => this.#resume(fiber));
          await this.#turn();
        } else if (!this.#isReady(this.#main)) {
          await this.#answerOfAny();
        }
      }
    } catch (error) {
      // What can be interrupted gives its own fiber up before.
      if (error instanceof OutOfMemory && !this.#options.isInterruptible) this.recover();
      throw error;
    } finally {
      this.#core.exports.enterFiber(this.#main.address);
    }
  }

  async #pause(outcome: Outcome): Promise<void> {
    if (outcome.kind === 'paused') await (outcome.until ?? this.#turn(interruptibleTurnMs));
  }

  /** Whatever runs on the core counts for the profiler, what waits for the world does not. */
  #profiled<T>(work: () => T): T {
    const { profiler } = this.#core;
    if (profiler === undefined) return work();
    profiler.start();
    try {
      return work();
    } finally {
      profiler.stop();
    }
  }

  /** Runs the current fiber until it ends or waits. */
  #advance(fiber: Fiber): Outcome {
    const isMain = fiber === this.#main;
    const { exports } = this.#core;
    const run = isMain ? this.#run : this.#runBriefly;
    let step = fiber.next;
    while (true) {
      const status = isMain ? this.#options.guard(step) : this.#guardFiber(step);
      this.#options.showWarnings();
      if (status === statusDone) return { kind: 'done' };
      if (status === statusBlocked) return { kind: 'blocked' };
      if (status === undefined) return { kind: 'failed' };
      if (status !== statusHost) {
        const { pause } = this.#options;
        if (!isMain || pause === undefined) return { kind: 'paused' };
        const until = pause();
        if (until !== undefined) return { kind: 'paused', until };
        step = run;
        continue;
      }
      try {
        const answer = this.#options.requests.answer();
        if (answer instanceof Promise) return { kind: 'waiting', answer };
        exports.answer(answer);
        step = run;
      } catch (error) {
        if (!isMain && !(error instanceof EvalIOError)) return { kind: 'failed' };
        step = this.#options.refusal(error);
      }
    }
  }

  /** Notes what a fiber waits for. */
  #park(fiber: Fiber, outcome: Outcome): void {
    fiber.next = fiber === this.#main ? this.#run : this.#runBriefly;
    fiber.mayOffer = true;
    if (outcome.kind === 'blocked') fiber.state = 'blocked';
    else if (outcome.kind === 'waiting') {
      const { answer } = outcome;
      fiber.state = 'waiting';
      fiber.awaited = answer;
      void this.#await(fiber, answer);
    }
  }

  async #await(fiber: Fiber, answer: Promise<LateAnswer>): Promise<void> {
    try {
      const value = await answer;
      if (fiber.awaited === answer) this.#answered(fiber, value);
      else this.#options.requests.drop(value);
    } catch (error) {
      if (fiber.awaited === answer) this.#refused(fiber, error);
    }
  }

  #answered(fiber: Fiber, answer: LateAnswer): void {
    const { requests } = this.#options;
    const run = fiber.next;
    fiber.next = () => {
      this.#core.exports.answer(requests.take(answer));
      return run();
    };
    fiber.state = 'ready';
    this.#wake();
  }

  #refused(fiber: Fiber, error: unknown): void {
    fiber.state = 'ready';
    if (error instanceof EvalIOError) fiber.next = this.#options.refusal(error);
    else {
      fiber.next = () => {
        throw error;
      };
    }
    this.#wake();
  }

  // ── The others ──

  /** Runs a fiber until it ends, waits, or has run for a while. */
  #resume(fiber: Fiber): void {
    this.#core.exports.enterFiber(fiber.address);
    const outcome = this.#advance(fiber);
    if (outcome.kind === 'done' || outcome.kind === 'failed') this.#drop(fiber);
    else if (outcome.kind === 'paused') {
      fiber.next = this.#runBriefly;
      // Behind all that are ready as well.
      this.#others.delete(fiber);
      this.#others.add(fiber);
    } else this.#park(fiber, outcome);
  }

  /** The status of a step of a fiber, `undefined` when it has failed. */
  #guardFiber(step: Step): number | undefined {
    let next = step;
    while (true) {
      try {
        return next();
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) throw error;
        if (error instanceof OutOfMemory) {
          if (!this.#core.canRetry()) return undefined;
          next = this.#runBriefly;
          continue;
        }
        if (error !== raised || this.#core.exports.handleErrorOfFiber() === 0) return undefined;
        next = this.#runBriefly;
      }
    }
  }

  #drop(fiber: Fiber): void {
    fiber.state = 'dropped';
    fiber.awaited = undefined;
    this.#others.delete(fiber);
    this.#core.exports.endFiber(fiber.address);
  }

  #isReady(fiber: Fiber): boolean {
    if (fiber.state === 'blocked' && this.#core.exports.isFiberBlocked(fiber.address) === 0) {
      fiber.state = 'ready';
    }
    return fiber.state === 'ready';
  }

  /** A fiber that can run: the one that the evaluation needs, one of those that there are, or a new one. */
  #choose(): Fiber | undefined {
    if (this.#main.state === 'blocked') {
      const needed = this.#needed();
      if (needed !== undefined || this.#isReady(this.#main)) return needed;
    }
    return this.#anyReady() ?? this.#begin();
  }

  #anyReady(): Fiber | undefined {
    for (const fiber of this.#others) if (this.#isReady(fiber)) return fiber;
    return undefined;
  }

  /**
   * The fiber that keeps the evaluation from going on, if it can run. Where fibers wait for one another in a circle, the
   * one that the evaluation waits for is dropped: it meets by itself what is in the circle, which is an infinite
   * recursion if it is in there too.
   */
  #needed(): Fiber | undefined {
    const blocking = this.#blocking(this.#main);
    const seen = new Set([this.#main]);
    let at = blocking;
    while (at !== undefined) {
      if (this.#isReady(at)) return at;
      if (at.state === 'waiting') return undefined;
      seen.add(at);
      at = this.#blocking(at);
      if (at !== undefined && seen.has(at)) break;
    }
    if (blocking !== undefined) this.#drop(blocking);
    // Nobody evaluates it any more: it is looked at again, which says what is the matter.
    this.#main.state = 'ready';
    return undefined;
  }

  /** The fiber that evaluates what a fiber is blocked by. */
  #blocking(fiber: Fiber): Fiber | undefined {
    const { exports } = this.#core;
    exports.enterFiber(fiber.address);
    const address = exports.blockingFiber();
    if (address === this.#main.address) return this.#main;
    for (const other of this.#others) if (other.address === address) return other;
    return undefined;
  }

  /** Begins some of what those that wait have to offer. Returns the first. */
  #begin(): Fiber | undefined {
    const room = Math.min(begunAtATime, this.#options.maximum - 1 - this.#others.size);
    if (room <= 0) return undefined;
    for (const fiber of [this.#main, ...this.#others]) {
      if (!fiber.mayOffer || fiber.state === 'ready') continue;
      const first = this.#beginOffers(fiber, room);
      if (first !== undefined) return first;
    }
    for (const walk of this.#walks.toReversed()) {
      const offered = walk();
      if (offered !== undefined) return this.#beginVisit(offered);
    }
    return undefined;
  }

  #beginOffers(fiber: Fiber, room: number): Fiber | undefined {
    const { exports } = this.#core;
    exports.enterFiber(fiber.address);
    const count = exports.gatherFibers(room);
    fiber.mayOffer = count === room;
    let first: Fiber | undefined;
    for (let index = 0; index < count; index++) {
      const begun = this.#add(exports.beginGathered(index));
      first ??= begun;
    }
    exports.endGathering();
    return first;
  }

  #beginVisit(value: Address): Fiber {
    const { exports } = this.#core;
    const fiber = this.#add(exports.beginFiber());
    exports.beginVisit(value);
    return fiber;
  }

  #add(address: Address): Fiber {
    const fiber: Fiber = {
      address,
      state: 'ready',
      next: this.#runBriefly,
      awaited: undefined,
      mayOffer: false,
    };
    this.#others.add(fiber);
    return fiber;
  }

  // ── Waiting ──

  async #answerOfAny(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => {};
    this.#lastTurn = performance.now();
  }

  /** Lets answers in that are there, and now and then the event loop. */
  async #turn(afterMs: number = turnMs): Promise<void> {
    if (performance.now() - this.#lastTurn < afterMs) {
      await Promise.resolve();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#lastTurn = performance.now();
  }
}
