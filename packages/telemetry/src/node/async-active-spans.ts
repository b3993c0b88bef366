/**
 * The active span of a chain of calls, promises included: by Node's `AsyncLocalStorage`, where that is cheap.
 *
 * Before Node 24 it is not: every promise and every callback of Node's then passes through `async_hooks`, which made a build of
 * small derivations a tenth slower. There, V8's hooks for promises carry the span, and nothing else does: a callback of a timer
 * or a socket begins without one, and what waits for it goes on with its own. What Neve measures waits by promises.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { promiseHooks } from 'node:v8';
import type { ActiveSpans, Span } from '../span.ts';

/** The first version in which V8 itself carries the contexts of `AsyncLocalStorage`. */
const firstCheap = 24;

/** The one for this version of Node. One for each thread. */
export function asyncActiveSpans(): ActiveSpans {
  const [major = '0'] = process.versions.node.split('.');
  return Number(major) >= firstCheap ? new StoredActiveSpans() : new HookedActiveSpans();
}

/** By `AsyncLocalStorage`. */
export class StoredActiveSpans implements ActiveSpans {
  readonly #storage = new AsyncLocalStorage<Span>();

  active(): Span | undefined {
    return this.#storage.getStore();
  }

  run<T>(span: Span, work: () => T): T {
    return this.#storage.run(span, work);
  }
}

/** By hooks for promises, from the first span on and for as long as the thread lives. */
export class HookedActiveSpans implements ActiveSpans {
  #active: Span | undefined;
  #isHooked = false;

  active(): Span | undefined {
    return this.#active;
  }

  run<T>(span: Span, work: () => T): T {
    if (!this.#isHooked) this.#hook();
    const outer = this.#active;
    this.#active = span;
    try {
      return work();
    } finally {
      this.#active = outer;
    }
  }

  #hook(): void {
    this.#isHooked = true;
    const key = Symbol('active span');
    type Carrier = { [key]?: Span };
    promiseHooks.createHook({
      // It is made by what waits, or is waited for, and continued for it.
      init: (promise) => {
        if (this.#active !== undefined) (promise as Carrier)[key] = this.#active;
      },
      before: (promise) => {
        this.#active = (promise as Carrier)[key];
      },
      after: () => {
        this.#active = undefined;
      },
    });
  }
}
