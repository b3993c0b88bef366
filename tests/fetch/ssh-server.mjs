// An SSH server of this machine for the comparison, if there is an sshd: on a port of its own, with keys made for it, open to
// whoever runs the comparison.

import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = '/usr/sbin/sshd';
/** Where sshd gives up its rights; it does not start without. */
const privilegeSeparation = '/run/sshd';

/**
 * Undefined when there is no sshd. `command` is what `GIT_SSH_COMMAND` has to be for clients.
 *
 * @param {string} folder
 */
export async function serveSsh(folder) {
  if (!existsSync(program)) return undefined;
  const place = join(folder, 'ssh');
  mkdirSync(place);
  mkdirSync(privilegeSeparation, { recursive: true });
  const at = (/** @type {string} */ name) => join(place, name);
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  copyFileSync(at('user.pub'), at('authorized'));
  const port = await freePort();
  writeFileSync(
    at('server'),
    `ListenAddress 127.0.0.1:${port}\nHostKey ${at('host')}\nAuthorizedKeysFile ${at('authorized')}\n` +
      `StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n`,
  );
  writeFileSync(
    at('client'),
    `Host *\n  IdentityFile ${at('user')}\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n`,
  );
  const server = spawn(program, ['-D', '-f', at('server'), '-E', at('log')], { stdio: 'ignore' });
  await waitFor(port);
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    command: `ssh -F ${at('client')}`,
    close: () => void server.kill(),
  };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/** @param {number} port */
async function waitFor(port) {
  for (let i = 0; i < 100; i++) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
    });
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error('sshd does not listen');
}
