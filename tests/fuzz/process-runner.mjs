// Runs one fuzz input in a process of its own: the source goes to `instantiate --eval --strict -`.
//
// The whole command takes part here; in-process-runner.mjs is the faster way.

import { runCommand } from '../lib/command.mjs';

/**
 * @typedef {object} Report
 * @property {"evaluated" | "failed" | "crashed" | "hung"} end
 * @property {string} detail for a crash: what was seen of it
 */

/** @typedef {{ runCase(source: Uint8Array): Promise<Report>, dispose(): Promise<void> }} Runner */

/**
 * @param {{ implementation: import("../lib/implementation.mjs").Implementation, environment: import("../lib/nix-environment.mjs").NixEnvironment, folder: string, timeoutMs: number }} options
 *   `folder` is where relative paths lead
 * @returns {Runner}
 */
export function createRunner({ implementation, environment, folder, timeoutMs }) {
  return {
    async runCase(source) {
      const command = [...implementation.instantiate, '--eval', '--strict', '-'];
      const outcome = await runCommand(command, {
        cwd: folder,
        env: environment.variables,
        input: source,
        timeoutMs,
      });
      return reportOf(outcome);
    },
    async dispose() {},
  };
}

/**
 * @param {import("../lib/command.mjs").Outcome} outcome
 * @returns {Report}
 */
function reportOf({ code, signal, stdout, stderr, timedOut }) {
  if (timedOut) return { end: 'hung', detail: '' };
  if (signal !== undefined) return { end: 'crashed', detail: `killed by ${signal}` };
  if (code !== 0 && code !== 1) return { end: 'crashed', detail: `exit code ${code}: ${firstLines(stderr)}` };
  if (looksInternal(stderr) || looksInternal(stdout)) return { end: 'crashed', detail: firstLines(stderr) };
  // A failure that gives no reason is a defect too.
  if (code === 1 && !/(^|\n)\s*error:/.test(stderr))
    return { end: 'crashed', detail: `no error message: ${firstLines(stderr)}` };
  return { end: code === 0 ? 'evaluated' : 'failed', detail: '' };
}

/**
 * Whether output shows the implementation's inside: a JavaScript or WebAssembly stack trace, or
 * an error that calls itself internal.
 *
 * @param {string} text
 */
function looksInternal(text) {
  const stackFrame =
    /^\s+at .*(\.[cm]?[jt]s:\d+|wasm:\/\/|wasm-function|node:internal|file:\/\/|<anonymous>)/m;
  return (
    stackFrame.test(text) ||
    /\binternal error\b|\bRuntimeError: |\bAssertionError\b|\bunreachable\b/i.test(text)
  );
}

/** @param {string} text */
function firstLines(text) {
  return text.trim().split('\n').slice(0, 6).join('\n    ');
}
