// Opens one page in a headless Chromium that keeps to itself: a profile of its own, nothing fetched in the background.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--disable-sync',
  '--disable-extensions',
  '--disable-component-update',
  '--disable-background-networking',
  '--no-first-run',
];

/** A Chromium in PATH. */
export function findChromium() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/**
 * Starts the browser with a page.
 *
 * @param {string} program
 * @param {string} url
 */
export function openPage(program, url) {
  const profile = mkdtempSync(join(tmpdir(), 'neve-chromium-'));
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, url], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-4000);
  });
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(`${program} cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(`${program} ended (${signal ?? code})\n${output}`));
  });
  const close = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      // It has processes of its own, which are of the group that it leads.
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { ended, close };
}
