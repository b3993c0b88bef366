/**
 * Connections to one place: at most so many at the same time, each used by one caller at a time, and kept for the next one.
 * One whose use failed is closed unless it says that it is in step.
 */
import { WeightedSemaphore } from '@neve/castore';

export interface PooledConnection extends AsyncDisposable {
  /** Whether another request may follow. */
  readonly isUsable: boolean;
}

export type ConnectionPoolOptions<C> = {
  readonly open: (signal?: AbortSignal) => Promise<C>;
  readonly maxConnections: number;
};

export class ConnectionPool<C extends PooledConnection> implements AsyncDisposable {
  readonly #options: ConnectionPoolOptions<C>;
  readonly #idle: C[] = [];
  readonly #slots: WeightedSemaphore;

  constructor(options: ConnectionPoolOptions<C>) {
    this.#options = options;
    this.#slots = new WeightedSemaphore(options.maxConnections);
  }

  /** Runs `work` with a connection of its own. Aborting closes the connection. */
  async use<T>(work: (connection: C) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const release = await this.#slots.acquire();
    let connection: C | undefined;
    try {
      signal?.throwIfAborted();
      connection = this.#idle.pop() ?? (await this.#options.open(signal));
      return await this.#run(connection, work, signal);
    } finally {
      if (connection !== undefined) await this.#giveBack(connection, signal);
      release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((it) => it[Symbol.asyncDispose]()));
  }

  async #run<T>(connection: C, work: (connection: C) => Promise<T>, signal?: AbortSignal): Promise<T> {
    // What waits for the other side fails when the connection is closed.
    const abort = (): void => void Promise.resolve(connection[Symbol.asyncDispose]()).catch(() => undefined);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await work(connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async #giveBack(connection: C, signal: AbortSignal | undefined): Promise<void> {
    if (connection.isUsable && signal?.aborted !== true) this.#idle.push(connection);
    else await connection[Symbol.asyncDispose]();
  }
}
