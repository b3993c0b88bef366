// A server in a process of its own, on a free port of loopback.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const startLimitMs = 60_000;

/** @returns {Promise<number>} */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a program and waits until it listens. What it prints is shown if it ends before.
 *
 * @param {{ command: string, args: readonly string[], port: number, cwd: string }} options
 * @returns {Promise<{ stop: () => Promise<void> }>}
 */
export async function startServer({ command, args, port, cwd }) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (/** @type {Buffer} */ data) => {
    output = (output + data.toString()).slice(-10_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', (error) => {
      output += String(error);
      resolve(undefined);
    });
  });
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (!isRunning()) return;
    child.kill('SIGTERM');
    const killing = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(killing);
  };
  const limit = Date.now() + startLimitMs;
  while (!(await isListening(port))) {
    if (!isRunning() || Date.now() > limit) {
      await stop();
      throw new Error(`${command} ${args.join(' ')} does not listen on port ${port}:\n${output}`);
    }
    await sleep(50);
  }
  return { stop };
}

/** @param {number} port */
function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
