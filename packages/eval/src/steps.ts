/**
 * Work that may have to wait, written once: a generator yields answers, which come at once or as promises, and gets
 * their values. Nothing waits as long as every answer is there.
 */
import type { Answer } from './eval-io.ts';

/** A computation that yields what it needs and returns a T. */
export type Steps<T> = Generator<Answer<unknown>, T, unknown>;

/** `yield*` this to wait for an answer with its type kept. */
export function* need<T>(answer: Answer<T>): Steps<T> {
  // What comes back is the value of what was yielded.
  return (yield answer) as T;
}

/** Runs to the end: at once where no answer was a promise. */
export function runSteps<T>(steps: Steps<T>): Answer<T> {
  let next = steps.next();
  while (next.done !== true) {
    if (next.value instanceof Promise) return continueLater(steps, next.value);
    next = steps.next(next.value);
  }
  return next.value;
}

async function continueLater<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let waiting: Answer<unknown> = first;
  while (true) {
    const next: IteratorResult<Answer<unknown>, T> = await resume(steps, waiting);
    if (next.done === true) return next.value;
    waiting = next.value;
  }
}

/** Hands an answer, or its failure, to the steps. */
async function resume<T>(
  steps: Steps<T>,
  waiting: Answer<unknown>,
): Promise<IteratorResult<Answer<unknown>, T>> {
  let value: unknown;
  try {
    value = await waiting;
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next(value);
}
