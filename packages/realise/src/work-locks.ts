/**
 * Locks on store paths that are being made, so that two who want the same do it once. A lock is held by whoever makes the
 * path, and given up when it is there or has failed; then the next one looks whether there is anything left to do.
 */

export interface WorkLocks {
  /**
   * Waits until nobody else has any of the keys, then holds all of them. `onWait` is called once if they are not free.
   * Nobody holds some while waiting for others, so that there is no circle.
   */
  acquire(keys: readonly string[], options?: LockOptions): Promise<AsyncDisposable>;
}

export type LockOptions = {
  readonly onWait?: () => void;
  readonly signal?: AbortSignal | undefined;
};

/** Locks among those who share the object. */
export function memoryLocks(): WorkLocks {
  const held = new Map<string, Promise<void>>();
  return {
    async acquire(keys, { onWait, signal } = {}) {
      let waited = false;
      for (let holder = firstHolder(held, keys); holder !== undefined; holder = firstHolder(held, keys)) {
        if (!waited) onWait?.();
        waited = true;
        await holder;
        signal?.throwIfAborted();
      }
      let release: () => void = () => undefined;
      const done = new Promise<void>((fulfil) => (release = fulfil));
      for (const key of keys) held.set(key, done);
      return {
        [Symbol.asyncDispose]: async () => {
          for (const key of keys) held.delete(key);
          release();
        },
      };
    },
  };
}

function firstHolder(
  held: ReadonlyMap<string, Promise<void>>,
  keys: readonly string[],
): Promise<void> | undefined {
  return keys.map((key) => held.get(key)).find((it) => it !== undefined);
}
