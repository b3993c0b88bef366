// A Nix with tokens in a netrc file: what it may do and what not, and that nobody hears of caches that are not for him.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { TenantServer } from './cache-server.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function tokenChecks(world) {
  return [
    ['a Nix copies to and from a private cache with a token by netrc', () => privateCache(world)],
    ['a Nix with a wrong, expired, revoked or narrow token is refused', () => refusedTokens(world)],
    ['answers for a cache that may not be seen are those for none', () => indistinguishable(world)],
    ['one path in two caches has the signatures of each', () => twoCaches(world)],
    ['a cache that wants signatures takes only what is signed', () => requiredSignatures(world)],
    ['a server that is killed and started again has everything', () => restart(world)],
  ];
}

/** @param {World} world @param {string} name @param {(server: TenantServer) => Promise<void>} body */
async function withServer({ place, neve }, name, body) {
  const server = await TenantServer.start(neve(`${name}-admin`), place(name));
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

/**
 * @param {World} world
 * @param {string} to
 * @param {string} token
 */
// oxlint-disable-next-line eslint/max-params -- of what, whither, and how
function copyTo({ source, sample }, to, token, compression = 'zstd') {
  source.useToken(token);
  source.forgetCaches();
  const words = ['nix', 'copy', '--no-check-sigs', '--store', source.store];
  return source.attempt([...words, '--to', `${to}?compression=${compression}`, sample.root]);
}

/**
 * @param {World} world
 * @param {import('../lib/nix-machine.mjs').NixMachine} nix
 * @param {{ from: string, keys: readonly string[], token?: string }} options
 */
function copyFrom({ sample }, nix, { from, keys, token = '' }) {
  nix.useToken(token);
  nix.forgetCaches();
  const trust = ['--option', 'trusted-public-keys', keys.join(' ')];
  return nix.attempt(['nix', 'copy', '--from', from, '--to', nix.store, ...trust, sample.root]);
}

/** @param {World} world */
async function privateCache(world) {
  await withServer(world, 'private', async (server) => {
    const { publicKeys } = await server.create('team-a');
    const token = await server.token(['--pull', 'team-*', '--push', 'team-a']);
    const url = `${server.url}/team-a`;
    const pushed = await copyTo(world, url, token, 'xz');
    assert.equal(pushed.code, 0, pushed.stderr);
    const nix = world.client('private-client');
    const pulled = await copyFrom(world, nix, { from: url, keys: publicKeys, token });
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.deepEqual(await nix.hashes(world.sample.root), world.hashes);
    // It verifies every byte against the hash that it has.
    await nix.run(['nix', 'store', 'verify', '--no-trust', '--all', '--store', nix.store]);
    const again = await copyTo(world, url, token);
    assert.equal(again.code, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /copying path/);
  });
}

/** @param {World} world */
async function refusedTokens(world) {
  await withServer(world, 'refused', async (server) => {
    const { publicKeys: keys } = await server.create('team-a');
    const good = await server.token(['--pull', '*', '--push', '*']);
    const url = `${server.url}/team-a`;
    assert.equal((await copyTo(world, url, good)).code, 0);
    const revoked = await server.token(['--pull', '*']);
    const admin = world.neve('refused-admin');
    await admin.run(['token', 'revoke', '-', '--folder', server.folder], { input: revoked });
    const expired = await server.token(['--pull', '*', '--expires', '0s']);
    for (const [what, token, reason] of [
      ['none', '', /this needs a token/],
      ['nonsense', 'nonsense', /none of this server/],
      [
        'of another cache',
        await server.token(['--pull', 'team-b', '--push', 'team-b']),
        /no cache with this name that your token is for/,
      ],
      ['expired', expired, /the token of 'test' expired at/],
      ['revoked', revoked, /the token of 'test' was revoked/],
      ['changed', `${good.slice(0, -10)}AAAAAAAAAA`, /none of this server/],
    ]) {
      const nix = world.client(`refused-${what}`);
      const { code, stderr } = await copyFrom(world, nix, { from: url, keys, token: String(token) });
      assert.notEqual(code, 0, `${what}: it was copied`);
      assert.match(
        stderr,
        /does not appear to be a binary cache|not valid|unable to|cannot/,
        `${what}: ${stderr}`,
      );
      const pushed = await copyTo(world, url, String(token));
      assert.notEqual(pushed.code, 0, `${what}: it was pushed`);
      const response = await fetch(
        `${url}/nix-cache-info`,
        token === '' ? {} : { headers: { authorization: `Bearer ${String(token)}` } },
      );
      assert.match(await response.text(), /** @type {RegExp} */ (reason));
    }
    // Who may only read.
    const reader = await server.token(['--pull', 'team-a']);
    const nix = world.client('refused-reader');
    const read = await copyFrom(world, nix, { from: url, keys, token: reader });
    assert.equal(read.code, 0, read.stderr);
    await server.create('team-b');
    const tooMuch = await server.token(['--pull', '*', '--push', 'team-a']);
    const { code, stderr } = await copyTo(world, `${server.url}/team-b`, tooMuch);
    assert.notEqual(code, 0);
    assert.match(stderr, /has not the scope 'push' for this cache/);
  });
}

/** @param {World} world */
async function indistinguishable(world) {
  await withServer(world, 'hidden', async (server) => {
    await server.create('secret');
    const owner = await server.token(['--pull', '*', '--push', '*']);
    assert.equal((await copyTo(world, `${server.url}/secret`, owner)).code, 0);
    const files = [
      'nix-cache-info',
      `${world.sample.root.slice(11, 43)}.narinfo`,
      '',
      'nar/x',
      '_api/v1/info',
      '_api/v1/get-missing-paths',
      '../secret/nix-cache-info',
      '%2e%2e/secret/nix-cache-info',
    ];
    const tokens = [
      undefined,
      'nonsense',
      await server.token(['--pull', 'other']),
      await server.token(['--pull', '*', '--expires', '0s']),
    ];
    for (const token of tokens) {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']) {
        for (const file of files) {
          const ask = (/** @type {string} */ cache) =>
            rawAnswer(`${server.url}/${cache}/${file}`, method, token);
          const [forbidden, absent] = [await ask('secret'), await ask('absent')];
          assert.equal(forbidden, absent, `${method} ${file}`);
          assert.match(forbidden, /^(401|404)/);
        }
      }
    }
  });
}

/** All of an answer that could differ, but for the time. @param {string} url @param {string} method @param {string | undefined} token */
async function rawAnswer(url, method, token) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { method, headers });
  const lines = [...response.headers]
    .filter(([name]) => name !== 'date')
    .map(([name, value]) => `${name}: ${value}`);
  return [response.status, ...lines, await response.text()].join('\n');
}

/** @param {World} world */
async function twoCaches(world) {
  await withServer(world, 'two', async (server) => {
    const token = await server.token(['--pull', '*', '--push', '*']);
    /** @type {Record<string, readonly string[]>} */
    const keys = {};
    for (const name of ['a', 'b']) {
      keys[name] = (await server.create(name)).publicKeys;
      assert.equal((await copyTo(world, `${server.url}/${name}`, token)).code, 0);
    }
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const from = `${server.url}/${name}`;
      const trusting = world.client(`two-${name}-right`);
      const right = await copyFrom(world, trusting, { from, keys: keys[String(name)] ?? [], token });
      assert.equal(right.code, 0, right.stderr);
      const mistrusting = world.client(`two-${name}-wrong`);
      const wrong = await copyFrom(world, mistrusting, { from, keys: keys[String(other)] ?? [], token });
      assert.notEqual(wrong.code, 0);
      assert.match(wrong.stderr, /lacks a (valid )?signature/);
    }
  });
}

/** @param {World} world */
async function requiredSignatures(world) {
  await withServer(world, 'signed', async (server) => {
    const { source, sample } = world;
    const { secret } = await source.makeKey('ci-1');
    const key = readFileSync(secret.replace(/secret$/, 'public'), 'utf8').trim();
    await server.create('main', ['--require-signatures', '--trusted-public-key', key]);
    const token = await server.token(['--pull', '*', '--push', '*']);
    const unsigned = await copyTo(world, `${server.url}/main`, token);
    assert.notEqual(unsigned.code, 0);
    assert.match(unsigned.stderr, /has no valid signature by a key that this cache trusts/);
    await source.run(['nix', 'store', 'sign', '-r', '-k', secret, '--store', source.store, sample.root]);
    const signed = await copyTo(world, `${server.url}/main`, token);
    assert.equal(signed.code, 0, signed.stderr);
  });
}

/** @param {World} world */
async function restart(world) {
  await withServer(world, 'restart', async (server) => {
    const { publicKeys: keys } = await server.create('main', ['--public']);
    const token = await server.token(['--pull', '*', '--push', '*']);
    // It takes some seconds.
    const pushing = copyTo(world, `${server.url}/main`, token, 'xz');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await server.stop('SIGKILL');
    await pushing;
    await server.start();
    const again = await copyTo(world, `${server.url}/main`, token);
    assert.equal(again.code, 0, again.stderr);
    await server.stop('SIGKILL');
    await server.start();
    const nix = world.client('restart-client');
    const pulled = await copyFrom(world, nix, { from: `${server.url}/main`, keys });
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.deepEqual(await nix.hashes(world.sample.root), world.hashes);
  });
}
