// Sessions of `neve repl` on a pipe, each with a store of its own.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/**
 * A line, something to be done, or a signal: while a line is evaluated that does not end, or between lines.
 *
 * @typedef {string | (() => void) | { signal: NodeJS.Signals, during?: string }} Step
 */

/** @param {{ folder: string, env: NodeJS.ProcessEnv }} options */
export function conversation({ folder, env }) {
  let stores = 0;
  /**
   * Writes lines, each when that before it was answered: a string with its value follows each, whose answer is waited for.
   *
   * @param {readonly Step[]} steps
   * @param {readonly string[]} [words]
   */
  return async (steps, words = []) => {
    const store = join(folder, `store-${stores++}`);
    // One pipe for both outputs: what came first on two of them is not told by when it is read.
    const child = spawn(
      'sh',
      ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, neve, 'repl', '--store', store, ...words],
      { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    let said = '';
    let wake = () => {};
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => {
      said += text;
      wake();
    });
    child.stdin.on('error', () => undefined);
    const closed = new Promise((resolve) => child.once('close', resolve));
    for (const [index, step] of steps.entries()) {
      if (typeof step === 'function') {
        step();
        continue;
      }
      const end = `"end of ${index}"`;
      const answered = new Promise((resolve) => {
        wake = () => said.includes(end) && resolve(undefined);
      });
      if (typeof step === 'string') child.stdin.write(`${step}\n${end}\n`);
      else {
        if (step.during !== undefined) child.stdin.write(`${step.during}\n`);
        await wait(500);
        child.kill(step.signal);
        // Without an evaluation it ends the session.
        if (step.during === undefined) continue;
        await wait(200);
        child.stdin.write(`${end}\n`);
      }
      await Promise.race([answered, closed]);
    }
    const last = steps.at(-1);
    const isEnded = typeof last === 'object' && last.during === undefined;
    if (!isEnded) child.stdin.end();
    await closed;
    return said.replaceAll(/store-\d+/g, 'store').replaceAll(/\d+(\.\d+)? ?m?s\b/g, '');
  };
}
