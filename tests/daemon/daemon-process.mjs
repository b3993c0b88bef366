// `neve daemon` and its clients as processes: a home, a folder of sockets and a working folder of their own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../lib/options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const projectScript = resolve(here, '../../apps/cli/dist/neve.cjs');

/** @typedef {{ code: number | null, signal: string | null, stdout: string, stderr: string }} Ended */
/** @typedef {{ env?: Readonly<Record<string, string>>, stdin?: string, cwd?: string, timeoutMs?: number }} RunOptions */

export class Place {
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];

  /** @param {string} folder everything is below it @param {string} [script] @param {string} [work] */
  constructor(folder, script = projectScript, work = join(folder, 'work')) {
    this.folder = folder;
    this.script = resolve(script);
    this.workFolder = work;
    if (!existsSync(this.script)) throw new UsageError(`there is no ${this.script}; build the project first`);
    for (const name of [join(folder, 'home'), work]) mkdirSync(name, { recursive: true });
    mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 });
  }

  get socket() {
    return join(this.folder, 'run/neve/daemon.socket');
  }

  get store() {
    return join(this.folder, 'home/.local/share/neve/store');
  }

  /** @type {Readonly<Record<string, string>>} */
  get environment() {
    return {
      PATH: process.env['PATH'] ?? '',
      LANG: 'C.UTF-8',
      HOME: join(this.folder, 'home'),
      XDG_RUNTIME_DIR: join(this.folder, 'run'),
      NIX_CONF_DIR: join(this.folder, 'none'),
      NIX_CONFIG: 'substituters =',
    };
  }

  /** @param {readonly string[]} words @param {RunOptions} [options] */
  start(words, { env = {}, stdin, cwd = this.workFolder } = {}) {
    const child = spawn(process.execPath, [this.script, ...words], {
      cwd,
      env: { ...this.environment, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
    const texts = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (texts.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (texts.stderr += text));
    /** @type {Promise<Ended>} */
    const ended = new Promise((fulfil, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => fulfil({ code, signal, ...texts }));
    });
    return { child, ended, texts };
  }

  /** @param {readonly string[]} words @param {RunOptions} [options] @returns {Promise<Ended>} */
  async run(words, options = {}) {
    const { child, ended } = this.start(words, options);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A client of the daemon. @param {readonly string[]} words @param {RunOptions} [options] */
  client(words, options = {}) {
    return this.run(words, { ...options, env: { NEVE_DAEMON: '1', ...options.env } });
  }

  /** Fulfilled when it listens. @param {readonly string[]} [words] */
  async daemon(words = []) {
    const started = this.start(['daemon', ...words]);
    await waitUntil(
      () => started.texts.stderr.includes('listening on'),
      async () => {
        const gone = started.child.exitCode !== null;
        if (gone) throw new Error(`the daemon ended at once: ${started.texts.stderr}`);
      },
    );
    return {
      ...started,
      /** @param {NodeJS.Signals} signal */
      async end(signal = 'SIGTERM') {
        if (started.child.exitCode === null && started.child.signalCode === null) {
          started.child.kill(signal);
          await once(started.child, 'exit');
        }
        return await started.ended;
      },
    };
  }

  /** Whatever is left running. */
  killAll() {
    for (const child of this.#children) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
  }

  async status() {
    const { code, stdout, stderr } = await this.run(['daemon', 'status', '--json']);
    if (code !== 0) throw new Error(`no status: ${stderr}`);
    return JSON.parse(stdout);
  }
}

/**
 * @param {() => boolean | Promise<boolean>} isSo
 * @param {() => Promise<void>} [look] may throw
 */
export async function waitUntil(isSo, look = async () => undefined, timeoutMs = 30_000) {
  const end = Date.now() + timeoutMs;
  while (!(await isSo())) {
    await look();
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain`);
    await new Promise((fulfil) => setTimeout(fulfil, 25));
  }
}
