/**
 * When a request is sent again, and how long that waits: exponential backoff with full jitter (a random part of the whole
 * delay, so that many clients do not come back at the same moment), never sooner than the server asked by `Retry-After`
 * (RFC 9110, 10.2.3).
 */
export type RetryPolicy = {
  /** Attempts in a row that bring nothing; at least 1. */
  readonly maxAttempts: number;
  /** No attempt begins later than this after the first one, or after the last that brought something. */
  readonly maxTimeMs: number;
  /** The delay after the first failure is up to this; it doubles with each one. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
};

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 5,
  maxTimeMs: 120_000,
  baseDelayMs: 250,
  maxDelayMs: 30_000,
};

export type FailedAttempt = {
  /** How many attempts failed in a row; at least 1. */
  readonly failures: number;
  readonly retryAfterMs: number | undefined;
  /** From 0 to 1. */
  readonly random: number;
};

/** In milliseconds. */
export function retryDelay(
  policy: RetryPolicy,
  { failures, retryAfterMs = 0, random }: FailedAttempt,
): number {
  const backoff = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (failures - 1));
  return retryAfterMs + random * backoff;
}

/** Seconds or a date, as milliseconds from now; nothing for anything else. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value.trim())) return Number(value) * 1000;
  // All three forms of a date begin with the name of a day.
  const date = /^[A-Z][a-z]+,? /.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** Whether the same request may have another answer soon. Not implemented (501, 505) and captive portals (511) stay so. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && ![501, 505, 511].includes(status));
}
