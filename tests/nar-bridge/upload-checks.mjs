// Uploads that are not what they say, and uploads that end in the middle.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { BridgeServer } from './bridge-server.mjs';
import { copyFrom, hashPart, textOf } from './copy-checks.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function uploadChecks(world) {
  return [
    ['an upload that its client cuts off', () => cutOff(world)],
    ['a restart between a NAR and its narinfo', () => restartBetween(world)],
    ['a server that is killed in the middle of a copy', () => killed(world)],
    ['uploads that are not what they say', () => lies(world)],
    ['a read-only cache', () => readOnly(world)],
  ];
}

/**
 * The files of a cache that Nix has written: the narinfo of a path as text, and its NAR.
 *
 * @param {World} world
 * @param {string} path
 */
async function cacheFiles({ source, sample }, path) {
  const folder = join(source.folder, 'xz-cache');
  const to = `file://${folder}?compression=xz&compression-level=1`;
  await source.run(['nix', 'copy', '--no-check-sigs', '--store', source.store, '--to', to, sample.root]);
  const narInfo = readFileSync(join(folder, `${hashPart(path)}.narinfo`), 'utf8');
  const url = /^URL: (.*)$/m.exec(narInfo)?.[1] ?? '';
  return { narInfo, url, nar: readFileSync(join(folder, url)) };
}

/** A path without references. @param {World} world */
function textPath({ sample }) {
  return sample.paths.find((path) => path.endsWith('-text-0')) ?? '';
}

/** @param {string} url @param {string | Buffer} contents */
async function put(url, contents) {
  const body = typeof contents === 'string' ? contents : new Uint8Array(contents);
  const response = await fetch(url, { method: 'PUT', body });
  return { status: response.status, text: await response.text() };
}

/** @param {string} url */
async function statusOf(url) {
  return (await fetch(url, { method: 'HEAD' })).status;
}

/** @param {World} world */
async function cutOff(world) {
  const { folder, neve } = world;
  const path = textPath(world);
  const { narInfo, url, nar } = await cacheFiles(world, path);
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-cut-off') });
  try {
    const target = new URL(`${server.url}/${url}`);
    await new Promise((resolve) => {
      const cut = request(target, { method: 'PUT', headers: { 'content-length': String(nar.length) } });
      cut.on('error', resolve);
      cut.write(nar.subarray(0, nar.length >> 1), () =>
        setTimeout(() => cut.destroy(new Error('cut off')), 100),
      );
    });
    assert.equal(await statusOf(target.href), 404);
    assert.equal((await put(`${server.url}/${hashPart(path)}.narinfo`, narInfo)).status, 409);
    assert.equal((await put(target.href, nar.subarray(0, nar.length >> 1))).status, 400);
    assert.equal(await statusOf(target.href), 404);
    assert.equal((await put(target.href, nar)).status, 201);
    assert.equal((await put(`${server.url}/${hashPart(path)}.narinfo`, narInfo)).status, 201);
    assert.equal(await statusOf(`${server.url}/${hashPart(path)}.narinfo`), 200);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function restartBetween(world) {
  const { folder, neve } = world;
  const path = textPath(world);
  const { narInfo, url, nar } = await cacheFiles(world, path);
  const store = join(folder, 'cache-restart');
  const first = await BridgeServer.start(neve, { store });
  assert.equal((await put(`${first.url}/${url}`, nar)).status, 201);
  await first.stop('SIGKILL');
  const second = await BridgeServer.start(neve, { store });
  try {
    assert.equal(await statusOf(`${second.url}/${url}`), 200);
    assert.equal((await put(`${second.url}/${hashPart(path)}.narinfo`, narInfo)).status, 201);
    assert.match(await textOf(`${second.url}/${hashPart(path)}.narinfo`), /Compression: none/);
  } finally {
    assert.equal(await second.stop(), 0);
  }
}

/** @param {World} world */
async function killed(world) {
  const { folder, neve, source, machine, sample, secretKey, publicKey } = world;
  const store = join(folder, 'cache-killed');
  const listen = '127.0.0.1:0';
  for (const afterPaths of [10, 60, 120]) {
    const server = await BridgeServer.start(neve, { store, listen });
    const copying = source.attempt([
      'nix',
      'copy',
      '--store',
      source.store,
      '--to',
      `${server.url}?compression=zstd&secret-key=${secretKey}`,
      sample.root,
      '--option',
      'download-attempts',
      '1',
    ]);
    const countAdded = () => server.log.split('\nadded ').length - 1;
    while (countAdded() < afterPaths) await new Promise((resolve) => setTimeout(resolve, 20));
    await server.stop('SIGKILL');
    assert.notEqual((await copying).code, 0);
  }
  const server = await BridgeServer.start(neve, { store, listen });
  try {
    let found = 0;
    for (const path of sample.paths) {
      const response = await fetch(`${server.url}/${hashPart(path)}.narinfo`);
      const text = await response.text();
      if (response.status === 404) continue;
      found++;
      const references = /^References: (.*)$/m.exec(text)?.[1]?.split(' ').filter(Boolean) ?? [];
      for (const name of references)
        assert.equal(await statusOf(`${server.url}/${name.slice(0, 32)}.narinfo`), 200);
      const nar = await (await fetch(`${server.url}/${/^URL: (.*)$/m.exec(text)?.[1]}`)).arrayBuffer();
      assert.ok(Buffer.from(nar).equals(readFileSync(await source.dump(path))), path);
    }
    assert.ok(found > 0 && found < sample.paths.length, `${found} paths were there`);
    await source.run([
      'nix',
      'copy',
      '--store',
      source.store,
      '--to',
      `${server.url}?secret-key=${secretKey}`,
      sample.root,
    ]);
    const target = machine('taken-after-kills');
    await target.run(copyFrom(target, { server, key: publicKey }, sample.root));
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function lies(world) {
  const { folder, neve, sample } = world;
  const path = textPath(world);
  const { narInfo, url, nar } = await cacheFiles(world, path);
  const other = await cacheFiles(world, sample.root);
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-lies') });
  const narInfoUrl = `${server.url}/${hashPart(path)}.narinfo`;
  try {
    const wrong = (/** @type {string} */ what, /** @type {string} */ text) => narInfo.replace(what, text);
    assert.equal((await put(`${server.url}/${other.url}`, nar)).status, 400);
    assert.equal((await put(`${server.url}/${url.replace('.xz', '.zst')}`, nar)).status, 400);
    // Without the program lrzip it cannot be read at all, with it it is not what it says.
    assert.ok([400, 415].includes((await put(`${server.url}/${url.replace('.xz', '.lrz')}`, nar)).status));
    assert.equal((await put(`${server.url}/nar/x.nar.xz`, nar)).status, 405);
    assert.equal((await put(`${server.url}/${url}`, nar)).status, 201);
    for (const text of [
      narInfo.replace(/^NarSize: .*$/m, 'NarSize: 1'),
      narInfo.replace(/^NarHash: .*$/m, `NarHash: sha256:${'0'.repeat(52)}`),
      narInfo.replace(/^FileHash: .*$/m, `FileHash: sha256:${'0'.repeat(52)}`),
      narInfo.replace(/^FileSize: .*$/m, 'FileSize: 7'),
      wrong('Compression: xz', 'Compression: none'),
      wrong('-text-0', '-text-1'),
      other.narInfo,
      'StorePath: x\n',
      '',
    ]) {
      const answer = await put(narInfoUrl, text);
      assert.equal(answer.status, 400, `${text}\n${answer.text}`);
      assert.equal(await statusOf(narInfoUrl), 404);
    }
    assert.equal((await put(`${server.url}/${other.url}`, other.nar)).status, 201);
    const early = await put(`${server.url}/${hashPart(sample.root)}.narinfo`, other.narInfo);
    assert.equal(early.status, 409);
    assert.match(early.text, /must be put first/);
    assert.equal((await put(narInfoUrl, narInfo)).status, 201);
    assert.equal((await put(`${server.url}/nix-cache-info`, 'StoreDir: /nix/store\n')).status, 200);
    assert.equal((await put(`${server.url}/nix-cache-info`, 'StoreDir: /other\n')).status, 409);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function readOnly(world) {
  const { folder, neve } = world;
  const path = textPath(world);
  const { narInfo, url, nar } = await cacheFiles(world, path);
  const store = join(folder, 'cache-read-only');
  const first = await BridgeServer.start(neve, { store });
  assert.equal((await put(`${first.url}/${url}`, nar)).status, 201);
  assert.equal((await put(`${first.url}/${hashPart(path)}.narinfo`, narInfo)).status, 201);
  assert.equal(await first.stop(), 0);
  const server = await BridgeServer.start(neve, { store, options: ['--read-only'] });
  try {
    for (const [name, body] of /** @type {const} */ ([
      [url, new Uint8Array(nar)],
      [`${hashPart(path)}.narinfo`, narInfo],
    ])) {
      const response = await fetch(`${server.url}/${name}`, { method: 'PUT', body });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'GET, HEAD');
    }
    assert.equal(await statusOf(`${server.url}/${hashPart(path)}.narinfo`), 200);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}
