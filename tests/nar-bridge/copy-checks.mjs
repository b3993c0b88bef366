// `nix copy` into an empty cache and out of it into an empty store, and Neve in place of the second Nix.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeServer } from './bridge-server.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function copyChecks(world) {
  const compressions = ['none', 'xz', 'zstd', 'bzip2', 'gzip', 'br', 'lz4', 'lzip', 'lzma', 'compress'];
  return [
    ...compressions.map(
      (compression) =>
        /** @type {const} */ ([
          `copy in and out, ${compression}, signed by the client`,
          () => signedByClient(world, compression),
        ]),
    ),
    ['copy in and out, signed by the cache', () => signedByCache(world)],
    ['copy in and out, compressed files', () => compressedFiles(world)],
    ['unsigned uploads are refused where signatures are wanted', () => unsignedUpload(world)],
  ];
}

/** @param {World} world @param {string} compression */
async function signedByClient(world, compression) {
  const { folder, neve, source, sample, secretKey, publicKey } = world;
  const store = join(folder, `cache-${compression}`);
  const options = ['--require-signatures', '--trusted-public-key', publicKey];
  const server = await BridgeServer.start(neve, { store, options });
  try {
    // libarchive knows no levels of compress.
    const level = compression === 'compress' ? '' : '&compression-level=1';
    const to = `${server.url}?compression=${compression}${level}&secret-key=${secretKey}`;
    await source.run(['nix', 'copy', '--store', source.store, '--to', to, sample.root]);
    await takeAndCompare(world, { server, name: `taken-${compression}`, key: publicKey });
    if (compression === 'none') await compareNars(world, server);
    if (compression === 'zstd') await takeWithNeve(world, { server, key: publicKey });
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function signedByCache(world) {
  const { folder, neve, source, machine, sample, cacheSecretKey, cachePublicKey, publicKey } = world;
  const options = ['--signing-key', cacheSecretKey];
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-signed'), options });
  try {
    await source.run([
      'nix',
      'copy',
      '--no-check-sigs',
      '--store',
      source.store,
      '--to',
      `${server.url}?compression=zstd`,
      sample.root,
    ]);
    await takeAndCompare(world, { server, name: 'taken-signed', key: cachePublicKey });
    const other = machine('taken-untrusted');
    const refused = await other.attempt(copyFrom(other, { server, key: publicKey }, sample.root));
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /lacks a signature by a trusted key/);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** The second time, NARs are files. @param {World} world */
async function compressedFiles(world) {
  const { folder, neve, cacheSecretKey, cachePublicKey } = world;
  const options = ['--signing-key', cacheSecretKey, '--compressed-nars', join(folder, 'compressed')];
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-signed'), options });
  try {
    await takeAndCompare(world, { server, name: 'taken-rendered', key: cachePublicKey });
    const narInfo = `${server.url}/${hashPart(world.sample.root)}.narinfo`;
    for (let i = 0; i < 300 && !(await textOf(narInfo)).includes('Compression: zstd'); i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(await textOf(narInfo), /Compression: zstd/);
    await takeAndCompare(world, { server, name: 'taken-files', key: cachePublicKey });
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function unsignedUpload({ folder, neve, source, sample, publicKey }) {
  const options = ['--require-signatures', '--trusted-public-key', publicKey];
  const server = await BridgeServer.start(neve, { store: join(folder, 'cache-unsigned'), options });
  try {
    const copied = await source.attempt([
      'nix',
      'copy',
      '--no-check-sigs',
      '--store',
      source.store,
      '--to',
      server.url,
      sample.root,
    ]);
    assert.notEqual(copied.code, 0);
    assert.match(copied.stderr, /has no valid signature by a key that this cache trusts/);
    // Texts prove themselves, so that they are there.
    assert.equal((await fetch(`${server.url}/${hashPart(sample.root)}.narinfo`)).status, 404);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/**
 * @typedef {{ server: BridgeServer, key: string }} From
 * @param {import('../lib/nix-machine.mjs').NixMachine} nix
 * @param {From} from
 * @param {string} path
 */
export function copyFrom(nix, { server, key }, path) {
  const trust = ['--option', 'trusted-public-keys', key];
  return ['nix', 'copy', '--store', nix.store, '--from', server.url, '--to', nix.store, path, ...trust];
}

/** @param {World} world @param {From & { name: string }} from */
async function takeAndCompare({ source, machine, sample }, { name, ...from }) {
  const target = machine(name);
  await target.run(copyFrom(target, from, sample.root));
  const describe = async (
    /** @type {import('../lib/nix-machine.mjs').NixMachine} */ nix,
    /** @type {string} */ store,
  ) => {
    const infos = JSON.parse(
      await nix.run(['nix', 'path-info', '--json', '-r', '--store', store, sample.root]),
    );
    return Object.fromEntries(
      Object.entries(infos).map(([path, { narHash, narSize, references, deriver, ca }]) => [
        path,
        { narHash, narSize, references: references.toSorted(), deriver, ca },
      ]),
    );
  };
  const expected = await describe(source, source.store);
  assert.equal(Object.keys(expected).length, sample.paths.length);
  assert.deepEqual(await describe(target, target.store), expected);
  assert.deepEqual(await describe(target, from.server.url), expected);
  await target.run(['nix', 'store', 'verify', '--no-trust', '-r', '--store', target.store, sample.root]);
}

/** Every NAR, by both of its names. @param {World} world @param {BridgeServer} server */
async function compareNars({ source, sample }, server) {
  for (const path of sample.paths) {
    const dump = readFileSync(await source.dump(path));
    const narInfo = await textOf(`${server.url}/${hashPart(path)}.narinfo`);
    const url = /^URL: (.*)$/m.exec(narInfo)?.[1] ?? '';
    const hash = /^NarHash: sha256:(.*)$/m.exec(narInfo)?.[1] ?? '';
    for (const name of [url, `nar/${hash}.nar`]) {
      const nar = Buffer.from(await (await fetch(`${server.url}/${name}`)).arrayBuffer());
      assert.ok(nar.equals(dump), `${name} is not nix-store --dump ${path}`);
    }
  }
}

/** @param {World} world @param {From} from */
async function takeWithNeve({ folder, neve, source, sample }, { server, key }) {
  const target = join(folder, 'neve-taken');
  const copied = await neve.run([
    'copy',
    '--from',
    server.url,
    '--to',
    target,
    '--trusted-public-key',
    key,
    sample.root,
  ]);
  assert.equal(copied.code, 0, copied.stderr);
  const info = await neve.run(['info', '--json', '--store', target, ...sample.paths]);
  assert.equal(info.code, 0, info.stderr);
  for (const path of sample.paths) {
    const dump = createHash('sha256')
      .update(readFileSync(await source.dump(path)))
      .digest('base64');
    assert.ok(info.stdout.includes(`sha256-${dump}`), path);
  }
}

/** @param {string} path */
export function hashPart(path) {
  return path.slice('/nix/store/'.length).slice(0, 32);
}

/** @param {string} url */
export async function textOf(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.text();
}
