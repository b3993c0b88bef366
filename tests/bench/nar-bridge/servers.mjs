// The servers that are compared, as processes of our own: their start, their end, and what they have cost.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ticksPerSecond = 100;

/** @typedef {{ name: string, port: number, pids: readonly number[], stop: () => Promise<void> }} RunningServer */

/**
 * @param {{ bundle: string, folder: string, compressed: string | undefined, nodeArgs?: readonly string[] }} options
 * @returns {Promise<RunningServer>}
 */
export async function startNeve({ bundle, folder, compressed, nodeArgs = [] }) {
  const script = fileURLToPath(new URL('cache-server.mjs', import.meta.url));
  const child = spawn(process.execPath, [...nodeArgs, script, bundle, folder, compressed ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  const said = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  const port = Number(/:([0-9]+)$/.exec(String(said[0]))?.[1]);
  if (!Number.isFinite(port)) throw new Error('the server ended before it listened');
  return running('neve', port, child);
}

/**
 * nginx with a worker for each processor, files kept open, and nothing logged: as fast as it is for files.
 *
 * @param {{ program: string, folder: string, root: string }} options `folder` is for its own files
 * @returns {Promise<RunningServer>}
 */
export async function startNginx({ program, folder, root }) {
  mkdirSync(folder);
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((it) => `${it}_temp_path ${folder}/${it};`)
    .join(' ');
  const isRoot = process.getuid?.() === 0;
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes auto; daemon off; ${isRoot ? 'user root;' : ''} pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000;
  open_file_cache max=4000 inactive=1h; open_file_cache_valid 1h; open_file_cache_min_uses 1;
  ${temporary}
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`,
  );
  const child = spawn(program, ['-e', `${folder}/errors`, '-c', join(folder, 'nginx.conf')], {
    stdio: 'inherit',
  });
  await Promise.race([once(child, 'exit'), untilListening(port)]);
  if (child.exitCode !== null) throw new Error(`nginx ended: ${readFileSync(`${folder}/errors`, 'utf8')}`);
  return running('nginx', port, child);
}

/**
 * @param {string} name
 * @param {number} port
 * @param {import('node:child_process').ChildProcess} child
 * @returns {RunningServer}
 */
function running(name, port, child) {
  const pid = /** @type {number} */ (child.pid);
  const exited = once(child, 'exit');
  return {
    name,
    port,
    get pids() {
      return [pid, ...childrenOf(pid)];
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** User and system time of all of its processes so far, in seconds. @param {RunningServer} server */
export function cpuSeconds({ pids }) {
  return (
    pids.map((pid) => statOf(pid)).reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0) /
    ticksPerSecond
  );
}

/** The resident set, in MiB. @param {RunningServer} server */
export function residentMiB({ pids }) {
  const of = (/** @type {number} */ pid) =>
    Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  return pids.reduce((sum, pid) => sum + of(pid), 0);
}

/** @param {RunningServer} server */
export function openFiles({ pids }) {
  return pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
}

/** The fields of `/proc/PID/stat` after the name; the first is the state. @param {number} pid */
function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** @param {number} pid */
function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number} port */
async function untilListening(port) {
  while (true) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
