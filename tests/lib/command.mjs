// Runs one command to its end and hands back everything that can be observed of it.
//
// A command is an array of words; nothing passes through a shell. Output is text: UTF-8 where
// the bytes are valid, otherwise Latin-1, so that two outputs are equal as text exactly when
// their bytes are. A command that outlives its time limit is killed with everything it started.

import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';

/**
 * @typedef {object} Outcome
 * @property {number | undefined} code exit code; undefined when a signal ended the command
 * @property {string | undefined} signal name of the signal that ended the command
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} timedOut
 */

/**
 * Runs a command and waits for it.
 *
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string | Uint8Array, timeoutMs?: number }} [options]
 * @returns {Promise<Outcome>} rejects only when the command cannot be started
 */
export function runCommand(command, { cwd, env, input, timeoutMs = 120_000 } = {}) {
  const [program, ...words] = command;
  if (program === undefined) throw new Error('an empty command cannot be run');
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`cannot run ${program}: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? undefined,
        signal: signal ?? undefined,
        stdout: textOf(Buffer.concat(stdout)),
        stderr: textOf(Buffer.concat(stderr)),
        timedOut,
      });
    });
    // A command may end without reading its input; that is no failure of ours.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

/** @param {import("node:stream").Readable} stream */
function collect(stream) {
  /** @type {Buffer[]} */
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  return chunks;
}

/** @param {import("node:child_process").ChildProcess} child */
function killGroup(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // the group is gone already
  }
}

/** @param {Buffer} bytes */
function textOf(bytes) {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}
