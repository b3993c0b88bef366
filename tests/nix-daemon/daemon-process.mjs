// A daemon for clients of Nix, Neve's or a Nix's own, each with a store in a folder of its own. Clients of both are the same
// programs with another NIX_REMOTE.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startMs = 20_000;

export class DaemonProcess {
  /** What clients set NIX_REMOTE to. @type {string} */
  remote;
  /** @type {string} */
  socket;
  /** What it has written. @type {string} */
  logFile;
  /** @type {import('node:child_process').ChildProcess} */
  child;

  /**
   * @param {{ remote: string, socket: string, logFile: string, child: import('node:child_process').ChildProcess }} parts
   */
  constructor({ remote, socket, logFile, child }) {
    this.remote = remote;
    this.socket = socket;
    this.logFile = logFile;
    this.child = child;
  }

  get log() {
    return readFileSync(this.logFile, 'utf8');
  }

  /**
   * @param {{ folder: string, script: string, env: NodeJS.ProcessEnv, args?: readonly string[], node?: string }} options
   * `folder` is the store's
   */
  static async neve({ folder, script, env, args = [], node = process.execPath }) {
    const socket = join(folder, 'nix/daemon-socket');
    const query = `real=${folder}/nix/store&log=${folder}/nix/log`;
    return await start({
      command: [node, script, 'nix-daemon', '--store', folder, ...args],
      ...{ folder, socket, remote: `unix://${socket}?${query}`, env },
    });
  }

  /** @param {{ folder: string, program: string, env: NodeJS.ProcessEnv, socketName?: string }} options */
  static async nix({ folder, program, env, socketName = 'socket' }) {
    const socket = join(folder, socketName);
    const query = `real=${folder}/nix/store&log=${folder}/nix/var/log/nix`;
    return await start({
      command: [program],
      ...{ folder, socket, remote: `unix://${socket}?${query}` },
      env: { ...env, NIX_REMOTE: `local?root=${folder}`, NIX_DAEMON_SOCKET_PATH: socket },
    });
  }

  /** Ends it, and gives its exit code. */
  async stop() {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const ended = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
    this.child.kill('SIGTERM');
    return await ended;
  }
}

/**
 * @param {{ command: readonly string[], folder: string, socket: string, remote: string, env: NodeJS.ProcessEnv }} options
 */
async function start({ command: [program = '', ...words], folder, socket, remote, env }) {
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, 'daemon.log');
  const output = openSync(logFile, 'a');
  const child = spawn(program, words, { env, stdio: ['ignore', output, output] });
  closeSync(output);
  const daemon = new DaemonProcess({ remote, socket, logFile, child });
  for (const deadline = Date.now() + startMs; !(await answers(socket)); await sleep(50)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`the daemon does not start: ${daemon.log}`);
    }
  }
  return daemon;
}

/** @param {string} path */
async function answers(path) {
  if (!existsSync(path)) return false;
  return await new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
