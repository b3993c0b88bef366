// Runs fuzz inputs in threads of this process: thousands a minute, where a process for each would give hundreds.
//
// Each thread has a build of the language core, release and debug in turn; it evaluates many inputs with one evaluator
// (see evaluation-thread.mjs). A thread that does not answer in time, or dies, is replaced.

import { Worker } from 'node:worker_threads';
import { readCore } from '../lib/load-evaluator.mjs';

/** @typedef {import('./process-runner.mjs').Report} Report */

/** What a thread may take before its first input. */
const startMs = 20_000;

/**
 * @typedef {object} Thread
 * @property {(source: Uint8Array) => Promise<Report>} run
 * @property {() => Promise<unknown>} stop
 */

/**
 * @param {{ folder: string, timeoutMs: number, library: string, core?: string | undefined, builds?: readonly ('release' | 'debug')[] }} options
 *   `library` is the bundled evaluator, `core` the folder of the builds
 * @returns {import('./process-runner.mjs').Runner}
 */
export function createRunner({ folder, timeoutMs, library, core, builds = ['release', 'debug'] }) {
  /** @type {Thread[]} */
  const idle = [];
  /** @type {Set<Thread>} */
  const all = new Set();
  const cores = builds.map((build) => readCore(build, core));
  let started = 0;

  const start = () => {
    const thread = startThread({ core: cores[started++ % cores.length], folder, library, timeoutMs });
    all.add(thread);
    return thread;
  };

  return {
    async runCase(source) {
      const thread = idle.pop() ?? start();
      const report = await thread.run(source);
      if (report.end === 'hung' || report.end === 'crashed') {
        all.delete(thread);
        await thread.stop();
      } else idle.push(thread);
      return report;
    },
    async dispose() {
      await Promise.all([...all].map((thread) => thread.stop()));
    },
  };
}

/**
 * @param {{ core: unknown, folder: string, library: string, timeoutMs: number }} options
 * @returns {Thread}
 */
function startThread({ timeoutMs, ...workerData }) {
  const worker = new Worker(new URL('evaluation-thread.mjs', import.meta.url), { workerData });
  /** @type {(report: Report) => void} */
  let finish = () => {};
  worker.on('message', (/** @type {Report} */ report) => finish(report));
  worker.on('error', (error) => {
    const detail = error instanceof Error ? `${error.stack}` : String(error);
    finish({ end: 'crashed', detail });
  });
  worker.on('exit', (code) => finish({ end: 'crashed', detail: `the thread ended with ${code}` }));
  let allowedMs = timeoutMs + startMs;
  return {
    run(source) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => finish({ end: 'hung', detail: '' }), allowedMs);
        finish = (report) => {
          clearTimeout(timer);
          allowedMs = timeoutMs;
          resolve(report);
        };
        worker.postMessage(source, []);
      });
    },
    stop: () => worker.terminate(),
  };
}
