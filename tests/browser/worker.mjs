// The worker of the page: it is told what to evaluate, and reports the answers.

import { evaluateCases } from './evaluate-cases.mjs';
import { fetchedFiles, preloadedFiles } from './files-over-http.mjs';

/**
 * @typedef {object} Task
 * @property {readonly string[]} expressions
 * @property {string} directory
 * @property {readonly { name: string, core: string, files: 'fetched' | 'preloaded' }[]} runs
 */

/** @typedef {{ name: string, answers: readonly string[], milliseconds: number }} RunReport */

/** @param {Task} task @returns {Promise<RunReport[]>} */
async function perform({ expressions, directory, runs }) {
  /** @type {RunReport[]} */
  const reports = [];
  for (const { name, core: url, files } of runs) {
    const core = await WebAssembly.compileStreaming(fetch(url));
    const io = files === 'fetched' ? fetchedFiles() : await preloadedFiles();
    const started = performance.now();
    const answers = await evaluateCases(expressions, { core, io, directory });
    reports.push({ name, answers, milliseconds: performance.now() - started });
  }
  return reports;
}

/** @param {unknown} report */
async function send(report) {
  await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
}

try {
  const task = await fetch('/task');
  await send({ reports: await perform(await task.json()) });
} catch (error) {
  await send({ failure: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
}
