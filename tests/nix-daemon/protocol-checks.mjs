// Clients that do not keep to the protocol, against Neve's daemon as a process of its own: honest clients beside them finish, and
// nothing wrong is committed. And the ways to reach the daemon beside its socket.

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../lib/command.mjs';
import { untilProcesses } from './processes.mjs';
import { DaemonProcess } from './daemon-process.mjs';

/**
 * @typedef {import('./client-programs.mjs').ClientPrograms} ClientPrograms
 * @typedef {import('../lib/run-checks.mjs').Check} Check
 */

/**
 * @param {ClientPrograms} programs
 * @returns {Generator<Check>}
 */
export function* protocolChecks(programs) {
  const folder = join(programs.folder, 'protocol');
  mkdirSync(folder);
  let count = 0;
  /** An honest client adds a file of its own. */
  const honest = async () => {
    const file = join(folder, `honest-${++count}`);
    writeFileSync(file, `contents ${count} `.repeat(1000));
    const outcome = await programs.on('neve', 'nix-store', ['--add', file], { timeoutMs: 60_000 });
    if (outcome.code !== 0) throw new Error(`an honest client fails: ${outcome.stderr}`);
    const path = outcome.stdout.trim();
    const check = await programs.on('neve', 'nix-store', ['--verify-path', path], { timeoutMs: 60_000 });
    if (check.code !== 0) throw new Error(`an honest client's path is damaged: ${check.stderr}`);
    return path;
  };
  const { socket } = programs.daemons.neve;

  yield [
    'garbage',
    async () => {
      for (const text of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(100_000), 'x'.repeat(100_000)])
        await say(socket, Buffer.from(text));
      await honest();
    },
  ];
  yield [
    'sizes that lie',
    async () => {
      for (const size of [1n << 62n, (1n << 64n) - 1n, 1n << 40n, 1n << 27n]) {
        // A text, a list, and a frame.
        await say(socket, Buffer.concat([greeting(), numbers(1n, size)]));
        await say(socket, Buffer.concat([greeting(), numbers(31n, size)]));
        await say(
          socket,
          Buffer.concat([greeting(), numbers(7n), text('x'), text('fixed:r:sha256'), numbers(0n, 0n, size)]),
        );
      }
      await honest();
    },
  ];
  yield [
    'an upload that is cut off leaves nothing',
    async () => {
      const before = await programs.on('neve', 'nix', ['path-info', '--all']);
      const head = Buffer.concat([
        greeting(),
        numbers(7n),
        text('cut-off'),
        text('fixed:r:sha256'),
        numbers(0n, 0n),
      ]);
      const nar = Buffer.concat([
        text('nix-archive-1'),
        text('('),
        text('type'),
        text('regular'),
        text('contents'),
        numbers(1n << 20n),
      ]);
      for (const length of [0, 1, 1000, 600_000]) {
        await say(
          socket,
          Buffer.concat([head, numbers(BigInt(nar.length + (1 << 20))), nar, Buffer.alloc(length)]),
        );
      }
      const after = await programs.on('neve', 'nix', ['path-info', '--all']);
      if (before.stdout !== after.stdout) throw new Error(`there is more than before: ${after.stdout}`);
      await honest();
    },
  ];
  yield [
    'a thousand clients that say nothing, or stop in the middle',
    async () => {
      const sockets = await Promise.all(
        Array.from({ length: 1000 }, async (_, index) => {
          const it = await open(socket);
          if (index % 3 === 0) it.write(greeting().subarray(0, index % 24));
          if (index % 3 === 1)
            it.write(
              Buffer.concat([
                greeting(),
                numbers(7n),
                text('x'),
                text('fixed:r:sha256'),
                numbers(0n, 0n, 1000n),
                Buffer.alloc(500),
              ]),
            );
          return it;
        }),
      );
      try {
        await Promise.all([honest(), honest(), honest()]);
      } finally {
        for (const it of sockets) it.destroy();
      }
      await honest();
    },
  ];
  yield [
    'a client that asks for much and reads nothing',
    async () => {
      const file = join(folder, 'large');
      writeFileSync(file, Buffer.alloc(64 << 20, 'something large '));
      const { stdout } = await programs.on('neve', 'nix-store', ['--add', file]);
      const before = residentBytes(programs.daemons.neve);
      const asks = Buffer.concat([
        greeting(),
        ...Array.from({ length: 20 }, () => Buffer.concat([numbers(38n), text(stdout.trim())])),
      ]);
      const sockets = await Promise.all(Array.from({ length: 8 }, () => open(socket)));
      for (const it of sockets) {
        it.pause();
        it.write(asks);
      }
      await sleep(3000);
      await honest();
      const grown = residentBytes(programs.daemons.neve) - before;
      for (const it of sockets) it.destroy();
      if (grown > 300 << 20) throw new Error(`the daemon has grown by ${grown >> 20} MiB`);
    },
  ];
  yield [
    'a path outside of the store is refused',
    async () => {
      const answer = await say(
        socket,
        Buffer.concat([greeting(), numbers(26n), text('/nix/store/../../etc/passwd')]),
      );
      if (!answer.toString('latin1').includes('valid store path'))
        throw new Error(`it was answered with ${answer.toString('latin1')}`);
      await honest();
    },
  ];
  yield [
    'a daemon that is killed in the middle of everything',
    async () => {
      const store = join(folder, 'killed');
      const { env, script } = programs;
      const file = join(folder, 'large-too');
      writeFileSync(file, Buffer.alloc(200 << 20, 'something else that is large '));
      const clientEnv = (/** @type {DaemonProcess} */ daemon) => ({ ...env, NIX_REMOTE: daemon.remote });
      const first = await DaemonProcess.neve({ folder: store, script, env });
      const adding = runCommand([join(programs.bin, 'nix-store'), '--add', file], { env: clientEnv(first) });
      await sleep(250);
      first.child.kill('SIGKILL');
      await adding;
      const second = await DaemonProcess.neve({ folder: store, script, env });
      const words = [join(programs.bin, 'nix-store'), '--verify', '--check-contents'];
      const verified = await runCommand(words, { env: clientEnv(second) });
      const again = await runCommand([join(programs.bin, 'nix-store'), '--add', file], {
        env: clientEnv(second),
      });
      const code = await second.stop();
      if (verified.code !== 0 || again.code !== 0 || code !== 0) {
        throw new Error(
          `${verified.code} ${again.code} ${code}: ${verified.stderr} ${again.stderr} ${second.log}`,
        );
      }
    },
  ];
  yield [
    'a daemon that is asked to end lets clients finish',
    async () => {
      const daemon = await DaemonProcess.neve({
        folder: join(folder, 'ended'),
        script: programs.script,
        env: programs.env,
      });
      const idle = await open(daemon.socket);
      const ending = `ending-of-${process.pid}`;
      const expression = `derivation { name = "ending"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" ": ${ending}; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo > $out" ]; }`;
      const file = join(folder, 'ending.nix');
      writeFileSync(file, expression);
      const building = runCommand(
        [join(programs.bin, 'nix'), 'build', '--no-link', '--impure', '--file', file, ...programs.settings],
        {
          env: { ...programs.env, NIX_REMOTE: daemon.remote },
        },
      );
      await untilProcesses(ending, (running) => running > 0);
      const code = await daemon.stop();
      idle.destroy();
      const { code: built, stderr } = await building;
      if (code !== 0 || built !== 0) throw new Error(`${code} ${built}: ${stderr}\n${daemon.log}`);
    },
  ];
  yield [
    'a socket of systemd',
    async () => {
      const [path, listening] = [join(folder, 'activated'), join(folder, 'activating')];
      const server = createServer();
      await new Promise((resolve) => server.listen(listening, () => resolve(undefined)));
      const store = join(folder, 'activated-store');
      mkdirSync(store);
      const log = openSync(join(store, 'log'), 'a');
      const { fd } = /** @type {any} */ (server)._handle;
      const child = spawn(
        process.execPath,
        [programs.script, 'nix-daemon', '--store', store, '--listen', 'sd-listen'],
        {
          env: { ...programs.env, LISTEN_FDS: '1' },
          stdio: ['ignore', log, log, fd],
        },
      );
      try {
        for (let i = 0; i < 1000 && !readFileSync(join(store, 'log'), 'utf8').includes('listening'); i++)
          await sleep(50);
        // This process listens too, so that it may be the one that accepts: it has to let go, but to leave the socket.
        renameSync(listening, path);
        server.close();
        writeFileSync(join(folder, 'file'), 'x');
        const remote = `unix://${path}?real=${store}/nix/store`;
        const outcome = await runCommand([join(programs.bin, 'nix-store'), '--add', join(folder, 'file')], {
          env: { ...programs.env, NIX_REMOTE: remote },
          timeoutMs: 60_000,
        });
        if (outcome.code !== 0)
          throw new Error(`${outcome.stderr} ${readFileSync(join(store, 'log'), 'utf8')}`);
      } finally {
        child.kill();
      }
    },
  ];
  yield [
    'ssh-ng, by --stdio',
    async () => {
      const bin = join(folder, 'bin');
      mkdirSync(bin);
      const store = join(folder, 'ssh-store');
      // What would be an ssh runs the command here.
      writeScript(
        join(bin, 'ssh'),
        'while [ "$1" != -- ] && [ $# -gt 1 ]; do shift; done; [ "$1" = -- ] && shift; exec sh -c "$*"',
      );
      writeScript(
        join(bin, 'nix-daemon'),
        `exec ${process.execPath} ${programs.script} nix-daemon --store ${store} "$@"`,
      );
      const env = { ...programs.env, PATH: `${bin}:${programs.env['PATH']}` };
      const remote = 'ssh-ng://localhost';
      const nix = (/** @type {string[]} */ ...args) =>
        runCommand([join(programs.bin, 'nix'), ...args], { env, cwd: folder });
      const info = await nix('store', 'info', '--store', remote);
      const added = await nix('store', 'add', '--store', remote, join(folder, 'honest-1'));
      const path = added.stdout.trim();
      const cat = await nix('store', 'cat', '--store', remote, path);
      const copied = await nix(
        'copy',
        '--no-check-sigs',
        '--from',
        remote,
        '--to',
        join(folder, 'ssh-copy'),
        path,
      );
      const back = await nix(
        'copy',
        '--no-check-sigs',
        '--from',
        join(folder, 'ssh-copy'),
        '--to',
        'ssh-ng://localhost',
        path,
      );
      for (const { code, stderr } of [info, added, cat, copied, back])
        if (code !== 0) throw new Error(stderr);
      if (cat.stdout !== readFileSync(join(folder, 'honest-1'), 'utf8'))
        throw new Error('the file is another one');
    },
  ];
}

/**
 * @param {string} path
 * @param {string} text
 */
function writeScript(path, text) {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** @param {DaemonProcess} daemon */
function residentBytes({ child }) {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/**
 * @param {string} path
 * @returns {Promise<import('node:net').Socket>}
 */
async function open(path) {
  return await new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
}

/**
 * Sends it, and nothing more; what comes back.
 *
 * @param {string} path
 * @param {Uint8Array} bytes
 * @returns {Promise<Buffer>}
 */
async function say(path, bytes) {
  const socket = connect({ path, allowHalfOpen: true });
  /** @type {Buffer[]} */
  const answer = [];
  socket.on('data', (piece) => answer.push(piece));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined);
  socket.end(bytes);
  const late = sleep(60_000, 'late', { ref: false });
  if ((await Promise.race([closed, late])) === 'late') throw new Error('the connection does not end');
  return Buffer.concat(answer);
}

/** As a client of version 1.37 begins. */
function greeting() {
  return numbers(0x6e697863n, 0x125n, 0n, 0n);
}

/** @param {bigint[]} values */
function numbers(...values) {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(value, index * 8));
  return bytes;
}

/** @param {string} value */
function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([numbers(BigInt(bytes.length)), bytes, Buffer.alloc(-bytes.length & 7)]);
}
