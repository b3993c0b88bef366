// Measures one cold process: processor time (user and system, of it and its children), the time on the wall and
// the largest resident set, with its output.
//
// bash's `time` gives milliseconds where GNU time gives hundredths; GNU time gives the resident
// set. Without GNU time the memory is unknown and the rest still holds.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';

const gnuTime = '/usr/bin/time';

/**
 * @typedef {object} Measurement
 * @property {number} cpuSeconds
 * @property {number} wallSeconds
 * @property {number | undefined} peakMiB
 * @property {number | undefined} code
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * @param {readonly string[]} command
 * @param {{ folder: string, env: NodeJS.ProcessEnv }} options `folder` is the working folder and takes scratch files
 * @returns {Promise<Measurement>}
 */
export async function measure(command, { folder, env }) {
  const [outFile, errFile, rssFile] = ['stdout', 'stderr', 'rss'].map((name) =>
    join(folder, `measured-${name}`),
  );
  const script = `TIMEFORMAT='%3U %3S %3R'; time "$@" >'${outFile}' 2>'${errFile}'`;
  const prefix = existsSync(gnuTime) ? [gnuTime, '-f', '%M', '-o', String(rssFile)] : [];
  const outcome = await runCommand(['bash', '-c', script, 'bash', ...prefix, ...command], {
    cwd: folder,
    env,
    timeoutMs: 1_800_000,
  });
  const times = outcome.stderr.trim().split('\n').at(-1)?.split(' ').map(Number);
  const [user = NaN, system = NaN, wallSeconds = NaN] = times ?? [];
  return {
    cpuSeconds: user + system,
    wallSeconds,
    peakMiB: prefix.length === 0 ? undefined : peakMiB(String(rssFile)),
    code: outcome.code,
    stdout: readFileSync(String(outFile), 'utf8'),
    stderr: readFileSync(String(errFile), 'utf8'),
  };
}

/** @param {string} file written by GNU time, which puts a remark about the exit code first */
function peakMiB(file) {
  return Number(readFileSync(file, 'utf8').trim().split('\n').at(-1)) / 1024;
}
