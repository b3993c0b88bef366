// One process with its times and its largest resident set. Its output is kept only while it is short, so that a NAR of a GiB
// goes where `nix-store --dump > /dev/null` would send it.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * @typedef {object} Timed
 * @property {number} wallSeconds
 * @property {number} cpuSeconds user and system
 * @property {number} peakMiB
 * @property {number} code
 * @property {string} stdout empty where it is an archive
 * @property {string} stderr
 */

const run = promisify(execFile);

/**
 * @param {readonly string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<Timed>}
 */
export async function timed(command, { cwd, env }) {
  const folder = mkdtempSync(join(tmpdir(), 'neve-timed-'));
  const report = join(folder, 'report');
  const isArchive = command.includes('--dump') || command.includes('--nar');
  const script = isArchive ? 'exec "$@" >/dev/null' : 'exec "$@"';
  try {
    const args = ['-q', '-f', '%e %U %S %M', '-o', report, 'bash', '-c', script, 'bash', ...command];
    const outcome = await run('/usr/bin/time', args, { cwd, env, maxBuffer: 1 << 28 }).catch(
      (error) => error,
    );
    const [wall = NaN, user = NaN, system = NaN, peak = NaN] = readFileSync(report, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    return {
      wallSeconds: wall,
      cpuSeconds: user + system,
      peakMiB: peak / 1024,
      code: outcome.code ?? 0,
      stdout: outcome.stdout ?? '',
      stderr: outcome.stderr ?? '',
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
