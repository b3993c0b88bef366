// Retention, with random limits and pins, beside a server that is used: what stays has all that it refers to, and is whole.

import assert from 'node:assert/strict';
import { TenantServer } from './cache-server.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function retentionChecks(world) {
  return [
    ['what stays has all that it refers to, whatever the limits are', () => closures(world)],
    ['collection beside a Nix that pushes and one that pulls', () => beside(world)],
  ];
}

/** @param {World} world @param {string} url @param {string} token */
async function push({ source, sample }, url, token) {
  source.useToken(token);
  source.forgetCaches();
  return source.attempt([
    'nix',
    'copy',
    '--no-check-sigs',
    '--store',
    source.store,
    '--to',
    url,
    sample.root,
  ]);
}

/** The paths of the sample that the cache has, each with its references. @param {World} world @param {string} url */
async function contents({ sample }, url) {
  /** @type {Map<string, readonly string[]>} */
  const found = new Map();
  for (const path of sample.paths) {
    const response = await fetch(`${url}/${path.slice(11, 43)}.narinfo`);
    const text = await response.text();
    if (response.status !== 200) continue;
    const references =
      /^References: (.*)$/m
        .exec(text)?.[1]
        ?.split(' ')
        .filter((it) => it !== '') ?? [];
    found.set(path.slice(11), references);
    const nar = await fetch(`${url}/${/^URL: (.*)$/m.exec(text)?.[1]}`);
    assert.equal(nar.status, 200);
    await nar.arrayBuffer();
  }
  return found;
}

/** @param {World} world */
async function closures(world) {
  const { place, neve, sample } = world;
  const server = await TenantServer.start(neve('closures-admin'), place('closures'));
  const admin = neve('closures-admin');
  try {
    await server.create('main', ['--public']);
    const token = await server.token(['--pull', '*', '--push', '*', '--delete', '*']);
    const url = `${server.url}/main`;
    const env = { NEVE_CACHE_TOKEN: token };
    for (const [size, pinIndex] of [
      ['10M', undefined],
      ['5M', 12],
      ['1M', 20],
      ['2K', 5],
      ['0', 34],
      ['0', undefined],
    ]) {
      const pushed = await push(world, `${url}?compression=zstd`, token);
      assert.equal(pushed.code, 0, pushed.stderr);
      const pinned = typeof pinIndex === 'number' ? sample.paths[pinIndex] : undefined;
      if (pinned !== undefined) await admin.run(['pin', url, 'kept', pinned], { env });
      await admin.run(['configure', 'main', '--max-size', String(size), '--folder', server.folder]);
      // What was used while a lease lasts stays, so that the server ends first.
      await server.stop();
      const report = await admin.json(['gc', '--folder', server.folder, '--grace', '0s']);
      await server.start();
      const found = await contents(world, url);
      for (const [path, references] of found) {
        for (const reference of references)
          assert.ok(found.has(reference), `${path} stays without ${reference}`);
      }
      if (pinned !== undefined) {
        assert.ok(found.has(pinned.slice(11)), 'the pinned path stays');
        await admin.run(['pin', '--remove', url, 'kept'], { env });
      }
      assert.equal(report.caches[0].keptPaths, found.size);
      if (pinned === undefined && size === '0') assert.equal(found.size, 0);
      if (size === '10M')
        assert.equal(found.size < sample.paths.length || report.caches[0].keptBytes <= 10 << 20, true);
      await admin.run(['configure', 'main', '--max-size', 'none', '--folder', server.folder]);
    }
  } finally {
    await server.stop();
  }
}

/** @param {World} world */
async function beside(world) {
  const { place, neve, client, sample, hashes } = world;
  const server = await TenantServer.start(neve('beside-admin'), place('beside'), ['--gc-interval', '1s']);
  try {
    await server.create('main', ['--public', '--max-size', '0']);
    const { publicKeys } = await server.create('kept', ['--public']);
    const token = await server.token(['--pull', '*', '--push', '*']);
    const kept = await push(world, `${server.url}/kept?compression=zstd`, token);
    assert.equal(kept.code, 0, kept.stderr);
    const nix = client('beside-client');
    const admin = neve('beside-collector');
    const stop = new AbortController();
    const collect = async () => {
      while (!stop.signal.aborted) await admin.run(['gc', '--folder', server.folder, '--quiet']);
    };
    const use = async () => {
      for (let i = 0; i < 2; i++) {
        const pushed = await push(world, `${server.url}/main`, token);
        assert.equal(pushed.code, 0, pushed.stderr);
      }
      const from = ['--from', `${server.url}/kept`, '--option', 'trusted-public-keys', publicKeys.join(' ')];
      await nix.run(['nix', 'copy', ...from, '--to', nix.store, sample.root]);
    };
    await Promise.all([collect(), use().finally(() => stop.abort())]);
    assert.deepEqual(await nix.hashes(sample.root), hashes);
  } finally {
    await server.stop();
  }
}
