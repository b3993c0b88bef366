// The ways in which a client reaches the server: TLS with and without certificates of clients, Unix sockets, sockets that
// systemd has opened. And how it ends.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { makeCertificate } from '../lib/tls-certificate.mjs';
import { BridgeServer } from './bridge-server.mjs';
import { hashPart, textOf } from './copy-checks.mjs';
import { withFilledCache } from './question-checks.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function transportChecks(world) {
  return [
    ['TLS', () => tls(world)],
    ['a Unix socket', () => unixSocket(world)],
    ['a socket of systemd', () => systemdSocket(world)],
    ['pages of the server', () => pages(world)],
    ['a path in a browser', () => browsing(world)],
  ];
}

/** @param {World} world */
async function tls({ folder, neve, machine, source, sample, secretKey, publicKey }) {
  const { key, cert } = await makeCertificate(folder);
  const store = join(folder, 'cache-tls');
  const server = await BridgeServer.start(neve, { store, options: ['--tls-cert', cert, '--tls-key', key] });
  try {
    assert.match(server.url, /^https:/);
    const trust = ['--option', 'ssl-cert-file', cert];
    await source.run([
      'nix',
      'copy',
      '--store',
      source.store,
      '--to',
      `${server.url}?secret-key=${secretKey}`,
      sample.paths[0] ?? '',
      ...trust,
    ]);
    const nix = machine('taken-tls');
    const keys = ['--option', 'trusted-public-keys', publicKey];
    await nix.run([
      'nix',
      'copy',
      '--store',
      nix.store,
      '--from',
      server.url,
      '--to',
      nix.store,
      sample.paths[0] ?? '',
      ...trust,
      ...keys,
    ]);
  } finally {
    assert.equal(await server.stop(), 0);
  }
  const options = ['--tls-cert', cert, '--tls-key', key, '--tls-client-ca', cert];
  const strict = await BridgeServer.start(neve, { store, options });
  try {
    const ask = (/** @type {import('node:https').RequestOptions} */ given) =>
      new Promise((resolve, reject) => {
        const url = new URL(`${strict.url}/nix-cache-info`);
        const asked = httpsRequest(url, { ca: readFileSync(cert), agent: false, ...given }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject);
        asked.end();
      });
    assert.equal(await ask({ cert: readFileSync(cert), key: readFileSync(key) }), 200);
    await assert.rejects(() => ask({}));
  } finally {
    assert.equal(await strict.stop(), 0);
  }
}

/** @param {World} world */
async function unixSocket({ folder, neve }) {
  const socket = join(folder, 'socket');
  const settings = {
    store: join(folder, 'cache-tls'),
    listen: `unix:${socket}`,
    options: ['--socket-mode', '600'],
  };
  const first = await BridgeServer.start(neve, settings);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.equal(await askSocket(socket), 200);
  // A second one does not take its place, but one that comes after a kill does.
  await assert.rejects(BridgeServer.start(neve, settings), /another server is there/);
  await first.stop('SIGKILL');
  const second = await BridgeServer.start(neve, settings);
  assert.equal(await askSocket(socket), 200);
  assert.equal(await second.stop(), 0);
}

/** @param {string} socketPath */
function askSocket(socketPath) {
  return statusOf({ socketPath, path: '/nix-cache-info' });
}

/** @param {import('node:http').RequestOptions} options */
function statusOf(options) {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ ...options, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Does what systemd does: a socket as descriptor 3, and the variables that say so. */
const activate = `
import os, socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(('127.0.0.1', 0))
listener.listen(16)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='web')
os.execvp(sys.argv[1], sys.argv[1:])
`;

/** @param {World} world */
async function systemdSocket({ folder, neve }) {
  const server = await BridgeServer.start(neve, {
    store: join(folder, 'cache-tls'),
    listen: 'sd-listen:web',
    wrapper: ['python3', '-c', activate],
  });
  assert.match(await textOf(`${server.url}/nix-cache-info`), /StoreDir: \/nix\/store/);
  assert.equal(await server.stop(), 0);
}

/** @param {World} world */
async function pages({ folder, neve, cacheSecretKey, cachePublicKey }) {
  const options = ['--signing-key', cacheSecretKey, '--priority', '7'];
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-tls'), options });
  try {
    assert.equal(
      await textOf(`${server.url}/nix-cache-info`),
      'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 7\n',
    );
    assert.equal(await textOf(`${server.url}/healthz`), 'ok\n');
    assert.equal(await textOf(`${server.url}/readyz`), 'ok\n');
    assert.ok((await textOf(`${server.url}/`)).includes(cachePublicKey));
    assert.equal(JSON.parse(await textOf(`${server.url}/openapi.json`)).openapi, '3.1.0');
    const metrics = await textOf(`${server.url}/metrics`);
    assert.match(metrics, /^neve_http_requests_total\{route="cache-info",method="GET",status="200"\} 1$/m);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function browsing(world) {
  const { sample } = world;
  await withFilledCache(world, 'cache-browsing', async (server) => {
    const base = `${server.url}/serve/${hashPart(sample.root)}`;
    assert.match(await textOf(base), /<a href="\.\/bin\/">bin\/<\/a>/);
    assert.equal(await textOf(`${base}/bin/link`), `#!/bin/sh\necho ${sample.root}\n`);
    // By a link to another path of the closure.
    assert.match(await textOf(`${base}/other/bin/link`), /-built-18\n$/);
    const part = await fetch(`${base}/share/large`, { headers: { range: 'bytes=2849998-' } });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), 'xx');
    assert.equal((await fetch(`${base}/share/none`)).status, 404);
    // `fetch` would leave it out.
    const { hostname, port } = new URL(server.url);
    assert.equal(await statusOf({ hostname, port, path: `/serve/${hashPart(sample.root)}/%2e%2e/x` }), 400);
  });
}
