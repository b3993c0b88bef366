/**
 * Hands batches to a collector: several attempts where one fails, within the time that a batch has. While the process ends there
 * is one attempt, and none at all when nobody has listened.
 */
import { type Sender, encodeRequest, refusedItems } from '../otlp-request.ts';
import type { MessageWriter } from '../message-writer.ts';
import type { Transport } from './transport.ts';

const maxAttempts = 6;
const firstWaitMs = 1000;
const maxWaitMs = 5000;
const growth = 1.5;

export type ExporterOptions<T> = {
  readonly transport: Transport;
  readonly sender: Sender;
  readonly write: (writer: MessageWriter, item: T) => void;
  /** For a batch, with all its attempts. */
  readonly timeoutMs: number;
  readonly warn: (message: string) => void;
};

export class Exporter<T> {
  readonly #options: ExporterOptions<T>;
  readonly #ending = new AbortController();

  constructor(options: ExporterOptions<T>) {
    this.#options = options;
  }

  /** Whether the collector has taken them. What it has not taken is lost. */
  async send(items: readonly T[]): Promise<boolean> {
    const { transport, sender, write, timeoutMs, warn } = this.#options;
    const encode = (): Uint8Array => encodeRequest(sender, items, write);
    const deadline = performance.now() + timeoutMs;
    let waitMs = firstWaitMs;
    for (let attempt = 1; ; attempt++) {
      const outcome = await transport.send(encode, Math.max(1, deadline - performance.now()));
      if (outcome.kind === 'taken') {
        const refused = refusedItems(outcome.answer);
        if (refused !== undefined) warn(refused);
        return true;
      }
      const isEnding = this.#ending.signal.aborted;
      // Who has no collector is not told so by every command.
      if (isEnding && outcome.kind === 'failed' && outcome.isAbsent) return false;
      const pauseMs = outcome.kind === 'failed' ? (outcome.afterMs ?? jittered(waitMs)) : Infinity;
      if (isEnding || attempt >= maxAttempts || performance.now() + pauseMs > deadline) {
        warn(outcome.why);
        return false;
      }
      await this.#pause(pauseMs);
      waitMs = Math.min(waitMs * growth, maxWaitMs);
    }
  }

  /** From now on nothing is waited for; who waits tries once more. */
  hurry(): void {
    this.#ending.abort();
  }

  close(): void {
    this.#options.transport.close();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#ending;
      const timer = setTimeout(resolve, ms);
      timer.unref();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function jittered(ms: number): number {
  return Math.min(ms * (0.8 + Math.random() * 0.4), maxWaitMs);
}
