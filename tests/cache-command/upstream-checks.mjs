// Caches behind a cache: another server of ours, and a folder that a Nix has written, behind a server that behaves badly. A real
// Nix is the client; what it gets must be what was made, or a clear failure, and nothing wrong may stay.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenantServer } from './cache-server.mjs';
import { StaticCache } from './static-cache.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function upstreamChecks(world) {
  return [
    ['a Nix gets a closure through a cache from another server of ours', () => throughServer(world)],
    ['a Nix gets a closure through a cache from a folder of a Nix', () => throughFolder(world)],
    ['twenty clients that miss a path are one request', () => coalesced(world)],
    ['an upstream that dies and comes back', () => dying(world)],
    ['an upstream that hangs', () => hanging(world)],
    ['an upstream that breaks off', () => truncating(world)],
    ['an upstream that lies', () => lying(world)],
    ['a second upstream has what the first gives wrongly', () => second(world)],
  ];
}

/**
 * @typedef {object} Proxied
 * @property {StaticCache} upstream
 * @property {TenantServer} server its cache `proxy` has the upstream, and is public
 * @property {readonly string[]} keys of that cache
 * @property {string} upstreamKey
 */

/**
 * @param {World} world
 * @param {string} name
 * @param {(proxied: Proxied) => Promise<void>} body
 * @param {readonly string[]} [settings]
 */
async function withProxy(world, name, body, settings = []) {
  const { source, sample, place, neve } = world;
  const { secret } = await source.makeKey(`${name}-1`);
  const upstreamKey = readFileSync(secret.replace(/secret$/, 'public'), 'utf8').trim();
  const folder = join(source.folder, `cache-${name}`);
  await source.run([
    'nix',
    'copy',
    '--no-check-sigs',
    '--store',
    source.store,
    '--to',
    `file://${folder}?compression=zstd&secret-key=${secret}`,
    sample.root,
  ]);
  const upstream = new StaticCache(folder);
  await upstream.start();
  const server = await TenantServer.start(neve(`${name}-admin`), place(name), [
    '--upstream-timeout',
    '1',
    '--upstream-pause',
    '1',
  ]);
  try {
    const upstreamOptions = ['--upstream', upstream.url, '--upstream-key', upstreamKey];
    const { publicKeys: keys } = await server.create('proxy', ['--public', ...upstreamOptions, ...settings]);
    await body({ upstream, server, keys, upstreamKey });
  } finally {
    await server.stop();
    await upstream.stop().catch(() => undefined);
  }
}

/**
 * @param {World} world
 * @param {string} name
 * @param {{ from: string, keys: readonly string[] }} options
 */
async function substitute({ sample, client }, name, { from, keys }) {
  const nix = client(name);
  const words = [
    'nix',
    'copy',
    '--from',
    from,
    '--to',
    nix.store,
    '--option',
    'trusted-public-keys',
    keys.join(' '),
    sample.root,
  ];
  return { nix, ...(await nix.attempt(words)) };
}

/** How many paths a cache has itself. @param {World} world @param {TenantServer} server @param {string} cache */
async function countOf({ neve }, server, cache) {
  const [status] = await neve('status').json(['status', cache, '--folder', server.folder]);
  return Number(status.usage.paths);
}

/** @param {() => Promise<boolean>} condition */
async function until(condition) {
  for (let i = 0; i < 600 && !(await condition()); i++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(await condition(), 'it does not come to be so');
}

/** @param {World} world */
async function throughServer(world) {
  const { source, sample, place, neve, hashes } = world;
  const upstream = await TenantServer.start(neve('chain-up-admin'), place('chain-up'));
  const server = await TenantServer.start(neve('chain-admin'), place('chain'));
  try {
    const { publicKeys } = await upstream.create('origin', ['--public']);
    source.useToken(await upstream.token(['--pull', '*', '--push', '*']));
    await source.run([
      'nix',
      'copy',
      '--no-check-sigs',
      '--store',
      source.store,
      '--to',
      `${upstream.url}/origin`,
      sample.root,
    ]);
    const from = [
      '--upstream',
      `${upstream.url}/origin`,
      ...publicKeys.flatMap((key) => ['--upstream-key', key]),
    ];
    const { publicKeys: keys } = await server.create('proxy', ['--public', ...from]);
    const { nix, code, stderr } = await substitute(world, 'chain-client', {
      from: `${server.url}/proxy`,
      keys,
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(await nix.hashes(sample.root), hashes);
    await until(async () => (await countOf(world, server, 'proxy')) === sample.paths.length);
    await upstream.stop();
    const later = await substitute(world, 'chain-later', { from: `${server.url}/proxy`, keys });
    assert.equal(later.code, 0, later.stderr);
    assert.deepEqual(await later.nix.hashes(sample.root), hashes);
  } finally {
    await server.stop();
    await upstream.stop();
  }
}

/** @param {World} world */
async function throughFolder(world) {
  await withProxy(world, 'folder', async ({ upstream, server, keys, upstreamKey }) => {
    // Either key will do: the signatures of the upstream are passed on.
    for (const [name, trusted] of [
      ['folder-own', keys],
      ['folder-theirs', [upstreamKey]],
    ]) {
      const options = { from: `${server.url}/proxy`, keys: /** @type {string[]} */ (trusted) };
      const { nix, code, stderr } = await substitute(world, String(name), options);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await nix.hashes(world.sample.root), world.hashes);
    }
    assert.equal(upstream.count(/^\/nar\//), world.sample.paths.length, 'each NAR is downloaded once');
    await until(async () => (await countOf(world, server, 'proxy')) === world.sample.paths.length);
  });
}

/** @param {World} world */
async function coalesced(world) {
  await withProxy(world, 'many', async ({ upstream, server }) => {
    const hashPart = world.sample.root.slice(11, 43);
    const ask = async () => {
      const narInfo = await (await fetch(`${server.url}/proxy/${hashPart}.narinfo`)).text();
      const url = /^URL: (.*)$/m.exec(narInfo)?.[1] ?? '';
      const bytes = new Uint8Array(await (await fetch(`${server.url}/proxy/${url}`)).arrayBuffer());
      return [narInfo, createHash('sha256').update(bytes).digest('base64')].join(' ');
    };
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, ask));
    for (const other of others) assert.equal(other, first);
    assert.equal(`sha256-${first?.split(' ').at(-1)}`, world.hashes[world.sample.root]);
    assert.equal(upstream.count(new RegExp(`^/${hashPart}.narinfo$`)), 1);
    const url = /^URL: (.*)$/m.exec(
      readFileSync(join(world.source.folder, 'cache-many', `${hashPart}.narinfo`), 'utf8'),
    )?.[1];
    assert.equal(upstream.requests.filter((it) => it === `/${url}`).length, 1);
    // What nobody has is asked for once, too.
    const absent = '0'.repeat(32);
    for (let i = 0; i < 20; i++)
      assert.equal((await fetch(`${server.url}/proxy/${absent}.narinfo`)).status, 404);
    assert.equal(upstream.count(new RegExp(absent)), 1);
  });
}

/** @param {World} world */
async function dying(world) {
  await withProxy(world, 'dying', async ({ upstream, server, keys }) => {
    await upstream.stop();
    const hashPart = world.sample.root.slice(11, 43);
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      const response = await fetch(`${server.url}/proxy/${hashPart}.narinfo`);
      assert.equal(response.status, 502);
      assert.match(await response.text(), /upstream cache cannot be asked at the moment/);
      assert.ok(performance.now() - started < 1000, 'a dead upstream takes less than a second');
    }
    const failed = await substitute(world, 'dying-client', { from: `${server.url}/proxy`, keys });
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /502/);
    await upstream.start();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { nix, code, stderr } = await substitute(world, 'dying-later', {
      from: `${server.url}/proxy`,
      keys,
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(await nix.hashes(world.sample.root), world.hashes);
  });
}

/** @param {World} world */
async function hanging(world) {
  await withProxy(
    world,
    'hanging',
    async ({ upstream, server }) => {
      upstream.instead = () => true;
      const hashPart = world.sample.root.slice(11, 43);
      const times = [];
      for (let i = 0; i < 4; i++) {
        const started = performance.now();
        // By the option it counts as absent.
        assert.equal((await fetch(`${server.url}/proxy/${hashPart}.narinfo`)).status, 404);
        times.push(performance.now() - started);
      }
      assert.ok((times[0] ?? 0) < 4000, `the first waits for the time limit: ${times}`);
      assert.ok((times[1] ?? 0) < 500, `the others do not: ${times}`);
    },
    ['--upstream-fallback'],
  );
}

/** @param {World} world */
async function truncating(world) {
  await withProxy(world, 'cut', async ({ upstream, server, keys }) => {
    upstream.instead = (request, response, bytes) => {
      if (!request.url?.startsWith('/nar/') || bytes === undefined || bytes.length < 100_000) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
      return true;
    };
    const { code, stderr } = await substitute(world, 'cut-client', { from: `${server.url}/proxy`, keys });
    assert.notEqual(code, 0);
    assert.match(stderr, /unable to download|transfer closed|502|unexpected end/i);
    await assertNothingWrong(world, server, 'cut');
    upstream.instead = () => false;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const later = await substitute(world, 'cut-later', { from: `${server.url}/proxy`, keys });
    assert.equal(later.code, 0, later.stderr);
    assert.deepEqual(await later.nix.hashes(world.sample.root), world.hashes);
  });
}

/** @param {World} world */
async function lying(world) {
  await withProxy(world, 'lying', async ({ upstream, server, keys }) => {
    upstream.instead = (request, response, bytes) => {
      if (!request.url?.startsWith('/nar/') || bytes === undefined) return false;
      const changed = Buffer.from(bytes);
      const at = changed.length >> 1;
      changed[at] = (changed[at] ?? 0) ^ 1;
      response.writeHead(200, { 'content-length': changed.length }).end(changed);
      return true;
    };
    const { code, nix } = await substitute(world, 'lying-client', { from: `${server.url}/proxy`, keys });
    assert.notEqual(code, 0);
    const got = await nix.attempt(['nix', 'path-info', '--all', '--store', nix.store]);
    assert.equal(got.stdout, '', 'the Nix has nothing of it');
    await assertNothingWrong(world, server, 'lying');
    assert.equal(await countOf(world, server, 'proxy'), 0);
  });
}

/** @param {World} world */
async function second(world) {
  await withProxy(world, 'second', async ({ upstream, server, upstreamKey }) => {
    const good = new StaticCache(join(world.source.folder, 'cache-second'));
    await good.start();
    const { publicKeys: keys } = await server.create('both', [
      '--public',
      ...['--upstream', upstream.url, '--upstream', good.url, '--upstream-key', upstreamKey],
    ]);
    upstream.instead = (request, response) => {
      if (!request.url?.startsWith('/nar/')) return false;
      response.writeHead(200).end('this is no NAR');
      return true;
    };
    try {
      let outcome = await substitute(world, 'second-client', { from: `${server.url}/both`, keys });
      // A client that was cut off asks again.
      for (let i = 0; i < 3 && outcome.code !== 0; i++) {
        outcome = await substitute(world, `second-client-${i}`, { from: `${server.url}/both`, keys });
      }
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.deepEqual(await outcome.nix.hashes(world.sample.root), world.hashes);
    } finally {
      await good.stop();
    }
  });
}

/** What the cache has is what it says it is, with all that it refers to. @param {World} world @param {TenantServer} server @param {string} name */
async function assertNothingWrong({ client, sample }, server, name) {
  const nix = client(`${name}-verifier`);
  nix.forgetCaches();
  for (const path of sample.paths) {
    const { status } = await fetch(`${server.url}/proxy/${path.slice(11, 43)}.ls`);
    // Only what the cache has itself has a listing.
    if (status !== 200) continue;
    const narInfo = await (await fetch(`${server.url}/proxy/${path.slice(11, 43)}.narinfo`)).text();
    const url = /^URL: (.*)$/m.exec(narInfo)?.[1] ?? '';
    assert.match(url, /^nar\/(snix-castore\/|[0-9a-z]{52}\.nar)/);
    for (const reference of /^References: (.*)$/m.exec(narInfo)?.[1]?.split(' ') ?? []) {
      if (reference === '') continue;
      const there = await fetch(`${server.url}/proxy/${reference.slice(0, 32)}.ls`);
      assert.equal(there.status, 200, `${path} is there without ${reference}`);
    }
  }
}
