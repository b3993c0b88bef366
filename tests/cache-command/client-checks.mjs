// Neve as the client: login, push, pull, pins, the administration over HTTP; and what it leaves on the user's disk.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenantServer, readJson, tokenFile } from './cache-server.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function clientChecks(world) {
  return [
    ['Neve logs in, pushes what is missing, and pulls', () => pushAndPull(world)],
    ['a push that was killed goes on', () => killedPush(world)],
    ['Neve pushes to a cache that is not of Neve', () => foreignCache(world)],
    ["Neve pushes from a Nix's daemon", () => fromDaemon(world)],
    ['Neve administers a server over HTTP', () => administration(world)],
    ['a Nix uses what neve cache login has written', () => netrc(world)],
  ];
}

/** A cache that a Nix has written, to push from. @param {World} world @returns {Promise<string>} */
async function folderCache({ source, sample }) {
  const folder = join(source.folder, 'cache-to-push');
  if (!existsSync(folder)) {
    await source.run([
      'nix',
      'copy',
      '--no-check-sigs',
      '--store',
      source.store,
      '--to',
      `file://${folder}?compression=none`,
      sample.root,
    ]);
  }
  return `file://${folder}`;
}

/** Neve with the closure in its store. @param {World} world */
async function filledUser(world) {
  const user = world.neve('filled-user');
  await user.store(['copy', '--from', await folderCache(world), '--no-check-signatures', world.sample.root]);
  return user;
}

/** @param {World} world */
async function pushAndPull(world) {
  const { place, neve, client, sample, hashes } = world;
  const server = await TenantServer.start(neve('push-admin'), place('push'));
  try {
    const { publicKeys } = await server.create('team');
    const file = tokenFile(
      place('push-tokens'),
      await server.token(['--pull', 'team', '--push', 'team', '--delete', 'team']),
    );
    const user = neve('push-user');
    await user.run(['login', 'mine', `${server.url}/team`, '--token-file', file]);
    const config = join(place('push-user'), '.config/neve/caches.json');
    assert.equal(statSync(config).mode & 0o777, 0o600);
    assert.deepEqual(readJson(config).caches.mine.publicKeys, publicKeys);
    const from = ['--from', await folderCache(world), '--no-check-signatures'];
    const first = await user.json(['push', 'mine', sample.root, ...from]);
    assert.equal(first.paths, sample.paths.length);
    assert.equal(server.requests.filter((it) => it.includes('get-missing-paths')).length, 1);
    const again = await user.json(['push', 'mine', sample.root, ...from]);
    assert.deepEqual([again.paths, again.of, again.bytes], [0, sample.paths.length, 0]);
    await user.run(['pin', 'mine', 'release', sample.root]);
    assert.equal(await user.run(['pin', 'mine']), `release ${sample.root.slice(11)}\n`);
    const other = neve('push-other');
    await other.run(['login', 'team', `${server.url}/team`, '--token-file', file]);
    assert.equal((await other.json(['pull', 'team', sample.root])).paths, sample.paths.length);
    assert.equal((await other.json(['pull', 'team', sample.root])).paths, 0);
    // And the Nix gets what Neve has pushed.
    const nix = client('push-client');
    nix.useToken(readFileSync(file, 'utf8').trim());
    await nix.run([
      'nix',
      'copy',
      '--from',
      `${server.url}/team`,
      '--to',
      nix.store,
      '--option',
      'trusted-public-keys',
      publicKeys.join(' '),
      sample.root,
    ]);
    assert.deepEqual(await nix.hashes(sample.root), hashes);
    // By another key nothing is taken.
    const wrong = neve('push-wrong');
    const key = String(publicKeys[0]).replace(/:.{4}/, ':AAAA');
    const refused = await wrong.attempt(
      ['pull', `${server.url}/team`, sample.root, '--trusted-public-key', key],
      { env: { NEVE_CACHE_TOKEN: readFileSync(file, 'utf8').trim() } },
    );
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /has no valid signature by a trusted key/);
    for (const [token, reason] of [
      ['nonsense', /none of this server/],
      [await server.token(['--pull', 'team']), /has not the scope 'push'/],
      [await server.token(['--pull', 'x', '--push', 'x']), /404|no cache with this name/],
    ]) {
      const outcome = await other.attempt(['push', `${server.url}/team`, sample.root], {
        env: { NEVE_CACHE_TOKEN: String(token) },
      });
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /** @type {RegExp} */ (reason));
    }
  } finally {
    await server.stop();
  }
}

/** @param {World} world */
async function killedPush(world) {
  const { place, neve, sample } = world;
  const server = await TenantServer.start(neve('killed-admin'), place('killed'));
  try {
    await server.create('main', ['--public']);
    const env = { NEVE_CACHE_TOKEN: await server.token(['--pull', '*', '--push', '*']) };
    const user = await filledUser(world);
    const [program = '', ...words] = user.words([
      'push',
      `${server.url}/main`,
      sample.root,
      '--jobs',
      '1',
      '--compression',
      'none',
    ]);
    const { spawn } = await import('node:child_process');
    const child = spawn(program, words, { env: { ...user.env, ...env }, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (let i = 0; i < 200 && server.requests.filter((it) => it.startsWith('PUT')).length < 12; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGKILL');
    await ended;
    const { paths, of } = await user.json(['push', `${server.url}/main`, sample.root], { env });
    assert.ok(paths > 0 && paths < of, `${paths} of ${of} were still missing`);
    assert.equal((await user.json(['push', `${server.url}/main`, sample.root], { env })).paths, 0);
  } finally {
    await server.stop();
  }
}

/** @param {World} world */
async function fromDaemon(world) {
  const { place, neve, source, sample, client, hashes } = world;
  const server = await TenantServer.start(neve('daemon-admin'), place('daemon-server'));
  const socket = join(place('daemon-socket'), 'socket');
  const { words, env } = source.daemon(socket);
  const { spawn } = await import('node:child_process');
  const [program = '', ...rest] = words;
  const daemon = spawn(program, rest, { env, stdio: 'ignore' });
  try {
    const { publicKeys } = await server.create('main', ['--public']);
    for (let i = 0; i < 200 && !existsSync(socket); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const user = neve('daemon-user');
    const token = { NEVE_CACHE_TOKEN: await server.token(['--pull', '*', '--push', '*']) };
    const pushed = await user.json(
      ['push', `${server.url}/main`, sample.root, '--from', `unix://${socket}`],
      { env: token },
    );
    assert.equal(pushed.paths, sample.paths.length);
    const nix = client('daemon-client');
    const trust = ['--option', 'trusted-public-keys', publicKeys.join(' ')];
    await nix.run(['nix', 'copy', '--from', `${server.url}/main`, '--to', nix.store, ...trust, sample.root]);
    assert.deepEqual(await nix.hashes(sample.root), hashes);
  } finally {
    daemon.kill();
    await server.stop();
  }
}

/** `neve nar-bridge` has not the question about many paths. @param {World} world */
async function foreignCache(world) {
  const { place, sample, client, hashes } = world;
  const user = await filledUser(world);
  const { spawn } = await import('node:child_process');
  const words = [
    ...user.words([]).slice(0, -1),
    'nar-bridge',
    '--store',
    place('foreign'),
    '--listen',
    '127.0.0.1:0',
  ];
  const child = spawn(process.execPath, words.slice(1), {
    env: user.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      let log = '';
      child.once('exit', () => reject(new Error(log)));
      child.stderr.on('data', (/** @type {Buffer} */ piece) => {
        log += piece.toString();
        const address = /listening on (\S+)\n/.exec(log)?.[1];
        if (address !== undefined) resolve(address);
      });
    });
    assert.equal((await user.json(['push', String(url), sample.root])).paths, sample.paths.length);
    assert.equal((await user.json(['push', String(url), sample.root])).paths, 0);
    const nix = client('foreign-client');
    await nix.run(['nix', 'copy', '--no-check-sigs', '--from', String(url), '--to', nix.store, sample.root]);
    assert.deepEqual(await nix.hashes(sample.root), hashes);
  } finally {
    child.kill();
  }
}

/** @param {World} world */
async function administration(world) {
  const { place, neve } = world;
  const server = await TenantServer.start(neve('remote-admin'), place('remote'));
  try {
    await server.create('first');
    const owner = { NEVE_CACHE_TOKEN: await server.token(['--configure', '*']) };
    const part = { NEVE_CACHE_TOKEN: await server.token(['--configure', 'team-*', '--pull', '*']) };
    const user = neve('remote-user');
    const at = ['--server', server.url];
    assert.equal(
      (await user.json(['create', 'team-a', '--public', '--max-age', '30d', ...at], { env: part })).maxAgeMs,
      30 * 86_400_000,
    );
    assert.equal(
      'maxAgeMs' in (await user.json(['configure', 'team-a', '--max-age', 'none', ...at], { env: part })),
      false,
    );
    assert.equal((await fetch(`${server.url}/team-a/nix-cache-info`)).status, 200);
    assert.deepEqual(
      (await user.json(['list', ...at], { env: part })).map((/** @type {{ name: string }} */ it) => it.name),
      ['team-a'],
    );
    assert.deepEqual(
      (await user.json(['list', ...at], { env: owner })).map((/** @type {{ name: string }} */ it) => it.name),
      ['first', 'team-a'],
    );
    const refused = await user.attempt(['configure', 'first', '--public', ...at], { env: part });
    assert.match(refused.stderr, /has not the scope 'configure'/);
    assert.equal((await user.json(['gc', 'team-a', ...at], { env: part })).caches.length, 1);
    const lost = await server.token(['--configure', '*']);
    await user.run(['token', 'revoke', '-', ...at], { env: owner, input: lost });
    const revoked = await user.attempt(['list', ...at], { env: { NEVE_CACHE_TOKEN: lost } });
    assert.match(revoked.stderr, /was revoked/);
    await user.run(['remove', 'team-a', ...at], { env: part });
    assert.equal((await fetch(`${server.url}/team-a/nix-cache-info`)).status, 401);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    assert.equal((await fetch(`${server.url}/metrics`)).status, 401);
    const metrics = await fetch(`${server.url}/metrics`, {
      headers: { authorization: `Bearer ${owner.NEVE_CACHE_TOKEN}` },
    });
    assert.match(await metrics.text(), /neve_http_requests_total/);
    for (const file of ['token-key', 'castore/db/data.mdb']) assert.ok(existsSync(join(server.folder, file)));
  } finally {
    await server.stop();
  }
}

/** @param {World} world */
async function netrc(world) {
  const { place, neve, client, sample } = world;
  const server = await TenantServer.start(neve('netrc-admin'), place('netrc-server'));
  try {
    const { publicKeys } = await server.create('team');
    const nix = client('netrc-client');
    writeFileSync(nix.netrc, 'machine elsewhere login me password mine\n');
    const file = tokenFile(place('netrc-tokens'), await server.token(['--pull', 'team', '--push', 'team']));
    const user = await filledUser(world);
    await user.run(['login', 'netrc', `${server.url}/team`, '--token-file', file, '--netrc', nix.netrc]);
    await user.run(['push', 'netrc', sample.root]);
    assert.equal(statSync(nix.netrc).mode & 0o777, 0o600);
    assert.match(readFileSync(nix.netrc, 'utf8'), /machine elsewhere login me password mine/);
    await nix.run([
      'nix',
      'copy',
      '--from',
      `${server.url}/team`,
      '--to',
      nix.store,
      '--option',
      'trusted-public-keys',
      publicKeys.join(' '),
      sample.root,
    ]);
    await user.run(['login', '--logout', 'netrc']);
    const { code } = await user.attempt(['push', 'netrc', sample.root]);
    assert.equal(code, 1);
  } finally {
    await server.stop();
  }
}
