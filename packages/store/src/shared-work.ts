/**
 * Work that several callers want at the same time is done once. The work itself is aborted when all who wait for it have
 * given up; one who gives up leaves the others alone.
 */
type Run<T> = { readonly promise: Promise<T>; readonly controller: AbortController; waiters: number };

export class SharedWork<T> {
  readonly #runs = new Map<string, Run<T>>();

  /** Joins the work under way for `key`, or begins it. Throws what it throws, or the reason of `signal`. */
  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const run = this.#runs.get(key) ?? this.#begin(key, work);
    run.waiters++;
    if (signal === undefined) return run.promise;
    const { promise: givenUp, reject } = withRejection();
    const giveUp = (): void => {
      run.waiters--;
      if (run.waiters === 0) {
        this.#remove(key, run);
        run.controller.abort(signal.reason);
      }
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([run.promise, givenUp]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Run<T> {
    const controller = new AbortController();
    const run: Run<T> = { promise: work(controller.signal), controller, waiters: 0 };
    this.#runs.set(key, run);
    const remove = (): void => this.#remove(key, run);
    // Nobody may be left who would see the failure.
    run.promise.then(remove, remove);
    return run;
  }

  #remove(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
  }
}

function withRejection(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, rejectPromise) => (reject = rejectPromise));
  return { promise, reject };
}
