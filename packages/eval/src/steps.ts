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
  return runStepsThen(steps, (result) => result);
}

/**
 * Runs to the end. Where that was not at once, `finish` makes something else of the result as soon as it is there,
 * before anybody else can do anything.
 */
export function runStepsThen<T, U>(steps: Steps<T>, finish: (result: T) => U): T | Promise<U> {
  let next = steps.next();
  while (next.done !== true) {
    if (next.value instanceof Promise) return continueLater(steps, next.value, finish);
    next = steps.next(next.value);
  }
  return next.value;
}

async function continueLater<T, U>(
  steps: Steps<T>,
  first: Promise<unknown>,
  finish: (result: T) => U,
): Promise<U> {
  let waiting: Answer<unknown> = first;
  while (true) {
    let resume: () => IteratorResult<Answer<unknown>, T>;
    try {
      const value = await waiting;
      resume = () => steps.next(value);
    } catch (error) {
      resume = () => steps.throw(error);
    }
    // Nothing is awaited between the last step and `finish`.
    const next = resume();
    if (next.done === true) return finish(next.value);
    waiting = next.value;
  }
}
