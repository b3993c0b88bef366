/**
 * The attempts of one request: counts those in a row that brought nothing, waits between them, and gives up by the policy.
 * A quarter of a megabyte is something, so that a long download over a bad line goes on, and one that hardly moves ends.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { redactUrl } from '@neve/diagnostics';
import { type Failure, type Problem, type RequestName, failureOfError, requestError } from '../failure.ts';
import { HttpError } from '../http-error.ts';
import { type RetryPolicy, retryDelay } from '../retry-policy.ts';

/** `url` has no passwords; `attempt` is the number of the one that comes. */
export type RetryEvent = {
  readonly kind: 'retry';
  readonly url: string;
  readonly problem: string;
  readonly attempt: number;
  readonly delayMs: number;
};

export type RetriesOptions = {
  readonly request: RequestName;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
};

const somethingBytes = 1 << 18;

export class Retries {
  readonly #policy: RetryPolicy;
  readonly #options: RetriesOptions;
  #failures = 0;
  #startedMs: number = performance.now();
  #progressBytes = 0;

  constructor(policy: RetryPolicy, options: RetriesOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  progressed(bytes: number): void {
    this.#progressBytes += bytes;
    if (this.#progressBytes < somethingBytes) return;
    this.#progressBytes = 0;
    this.#failures = 0;
    this.#startedMs = performance.now();
  }

  /** Waits until the next attempt, or throws: what has a name already, and the reason of the signal, as they are. */
  async failed(error: unknown): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (error instanceof HttpError) throw error;
    await this.failedWith(failureOfError(error));
  }

  async failedWith(failure: Failure): Promise<void> {
    const { request, onRetry, signal } = this.#options;
    this.#failures++;
    const delayMs = retryDelay(this.#policy, {
      failures: this.#failures,
      retryAfterMs: failure.retryAfterMs,
      random: Math.random(),
    });
    const isTooLate = performance.now() + delayMs - this.#startedMs > this.#policy.maxTimeMs;
    if (!failure.isTransient || this.#failures >= this.#policy.maxAttempts || isTooLate) {
      throw requestError(request, failure, this.#failures);
    }
    const { problem } = failure;
    onRetry?.({ kind: 'retry', url: redactUrl(request.url), problem, attempt: this.#failures + 1, delayMs });
    try {
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** What cannot be mended by another attempt. */
  error(problem: Problem): HttpError {
    return requestError(this.#options.request, problem);
  }
}
