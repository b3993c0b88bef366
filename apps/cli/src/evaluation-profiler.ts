/**
 * `--eval-profiler`: where the time of an evaluation goes, as collapsed stacks in a file and as a table on standard error.
 *
 * The settings are those of Nix: `eval-profiler` (`flamegraph` or `disabled`), `eval-profile-file` (default:
 * `nix.profile`) and `eval-profiler-frequency` in hertz, 0 for every call. Any other value of `eval-profiler` is a file.
 * Nix looks 99 times a second; here looking costs less, and it is 999.
 *
 * The clock is read at every call of the program, and asking the system takes longer than most calls do. So a thread of its
 * own asks, and writes the time where both see it.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Evaluator, type ProfilerOptions, printCollapsedStacks, printCosts } from '@neve/eval';
import type { Caller } from './caller.ts';
import type { Settings } from './settings.ts';

const defaultFrequency = 999;
const defaultFile = 'nix.profile';

export type EvaluationProfiler = {
  readonly options: ProfilerOptions;
  /** Writes what was seen, and ends the clock. */
  finish(evaluator: Evaluator): void;
};

/** Undefined when nothing is to be profiled. */
export function startProfiler(settings: Settings, caller: Caller): EvaluationProfiler | undefined {
  const wanted = settings.text('eval-profiler') ?? 'disabled';
  if (wanted === 'disabled') return undefined;
  const named = wanted === 'flamegraph' ? (settings.text('eval-profile-file') ?? defaultFile) : wanted;
  const file = resolve(caller.directory, named);
  // Said before the work if it cannot be written.
  writeFileSync(file, '');
  const frequency = settings.number('eval-profiler-frequency') ?? defaultFrequency;
  const clock = frequency === 0 ? undefined : startClock(1000 / frequency);
  return {
    options: { frequency, nowMs: clock?.nowMs },
    finish(evaluator) {
      clock?.stop();
      const profile = evaluator.profile();
      if (profile === undefined) return;
      writeFileSync(file, printCollapsedStacks(profile));
      caller.write(2, `${printCosts(profile)}\nThe stacks are in ${file}, for a flame graph.\n`);
    },
  };
}

/** In the words of the clock's memory. */
const unitsPerMs = 20;

/** Waits for half a period at a time; the first time tells who waits that it is there. */
const clockScript = `
  const { workerData: { words, waitMs, unitsPerMs } } = require('node:worker_threads');
  const start = performance.now();
  while (Atomics.load(words, 1) === 0) {
    Atomics.store(words, 0, 1 + (performance.now() - start) * unitsPerMs);
    Atomics.notify(words, 0);
    Atomics.wait(words, 1, 0, waitMs);
  }
`;

function startClock(periodMs: number): { nowMs: () => number; stop: () => void } {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const words = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { words, waitMs: Math.max(0.1, periodMs), unitsPerMs };
  new Worker(clockScript, { eval: true, workerData }).unref();
  Atomics.wait(words, 0, 0);
  return {
    nowMs: () => (words[0] ?? 0) / unitsPerMs,
    stop() {
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
    },
  };
}
