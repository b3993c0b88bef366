/** The active span of a chain of calls, kept by Node's `AsyncLocalStorage`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActiveSpans, Span } from '../span.ts';

export class AsyncActiveSpans implements ActiveSpans {
  readonly #storage = new AsyncLocalStorage<Span>();

  active(): Span | undefined {
    return this.#storage.getStore();
  }

  run<T>(span: Span, work: () => T): T {
    return this.#storage.run(span, work);
  }
}
