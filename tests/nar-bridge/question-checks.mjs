// What else a Nix asks a cache for, with the answers of a store of its own to compare with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeServer } from './bridge-server.mjs';
import { hashPart, textOf } from './copy-checks.mjs';

/** @typedef {import('./run.mjs').World} World */

/** @param {World} world @returns {readonly import('./run.mjs').Check[]} */
export function questionChecks(world) {
  return [
    ['listings, files, logs, debug information', () => questions(world)],
    ['substitution', () => substitution(world)],
    ['build traces', () => buildTraces(world)],
    ['verification over HTTP', () => verification(world)],
  ];
}

/**
 * @param {World} world
 * @param {string} name
 * @param {(server: BridgeServer) => Promise<void>} body
 */
export async function withFilledCache({ folder, neve, source, sample, cacheSecretKey }, name, body) {
  const options = ['--signing-key', cacheSecretKey];
  const server = await BridgeServer.start(neve, { store: join(folder, name), options });
  try {
    const to = `${server.url}?compression=zstd&write-nar-listing=true&index-debug-info=true`;
    await source.run(['nix', 'copy', '--no-check-sigs', '--store', source.store, '--to', to, sample.root]);
    await body(server);
  } finally {
    assert.equal(await server.stop(), 0);
  }
}

/** @param {World} world */
async function questions(world) {
  const { source, machine, sample } = world;
  await withFilledCache(world, 'cache-questions', async (server) => {
    const nix = machine('asking');
    const ask = (/** @type {string} */ store, /** @type {readonly string[]} */ words) =>
      nix.run(['nix', ...words, '--store', store]);
    const file = `file://${join(source.folder, 'file-cache')}?write-nar-listing=true&index-debug-info=true`;
    await source.run(['nix', 'copy', '--no-check-sigs', '--store', source.store, '--to', file, sample.root]);
    for (const words of [
      ['store', 'ls', '-lR', sample.root],
      ['store', 'ls', '--json', '-R', sample.root],
      ['store', 'cat', `${sample.root}/bin/run`],
      ['store', 'cat', `${sample.root}/share/large`],
    ]) {
      assert.equal(await ask(server.url, words), await ask(file, words), words.join(' '));
    }
    for (const path of sample.paths) {
      const listing = readFileSync(join(source.folder, 'file-cache', `${hashPart(path)}.ls`), 'utf8');
      assert.equal(await textOf(`${server.url}/${hashPart(path)}.ls`), listing);
    }
    assert.equal((await fetch(`${server.url}/log/${sample.derivation.slice(11)}`)).status, 404);
    await source.run([
      'nix',
      'copy',
      '--no-check-sigs',
      '--derivation',
      '--store',
      source.store,
      '--to',
      server.url,
      sample.derivation,
    ]);
    await source.run([
      'nix',
      'store',
      'copy-log',
      '--store',
      source.store,
      '--to',
      server.url,
      `${sample.derivation}^*`,
    ]);
    assert.equal(await ask(server.url, ['log', sample.derivation]), 'building 19\n');
    assert.equal(await ask(server.url, ['log', sample.root]), 'building 19\n');
    const ownDebugInfo = JSON.parse(
      readFileSync(join(source.folder, 'file-cache/debuginfo', `${sample.buildId}.debug`), 'utf8'),
    );
    const debugInfo = JSON.parse(await textOf(`${server.url}/debuginfo/${sample.buildId}`));
    assert.equal(debugInfo.member, ownDebugInfo.member);
    assert.equal(await textOf(`${server.url}/debuginfo/${sample.buildId}.debug`), JSON.stringify(debugInfo));
    const archive = new URL(debugInfo.archive, `${server.url}/debuginfo/x`);
    assert.equal((await fetch(archive)).status, 200);
  });
}

/** @param {World} world */
async function substitution(world) {
  const { machine, sample, cachePublicKey } = world;
  await withFilledCache(world, 'cache-substitution', async (server) => {
    const nix = machine('substituting');
    const options = [
      '--option',
      'substituters',
      server.url,
      '--option',
      'trusted-public-keys',
      cachePublicKey,
    ];
    await nix.run(['nix-store', '-r', sample.root, '--store', nix.store, ...options]);
    const paths = (await nix.run(['nix-store', '-qR', sample.root, '--store', nix.store])).trim().split('\n');
    assert.deepEqual(paths.toSorted(), sample.paths.toSorted());
    assert.equal(await nix.run(['nix-store', '--verify', '--check-contents', '--store', nix.store]), '');
  });
}

/** What was built by contents on one machine is not built on another. @param {World} world */
async function buildTraces(world) {
  const { source, machine, sample, cachePublicKey } = world;
  const { expression, path } = sample.addressed;
  await withFilledCache(world, 'cache-traces', async (server) => {
    await source.run([
      'nix',
      'copy',
      '--no-check-sigs',
      '--store',
      source.store,
      '--to',
      server.url,
      '-f',
      expression,
    ]);
    assert.match(server.log, /PUT \/(realisations|build-trace-v2)\/\S+\.doi 201/);
    const nix = machine('tracing');
    const options = [
      ...['--option', 'substituters', server.url],
      ...['--option', 'trusted-public-keys', cachePublicKey],
      ...['--max-jobs', '0', '--option', 'builders', ''],
    ];
    const built = await nix.run(['nix-build', expression, '--no-out-link', '--store', nix.store, ...options]);
    assert.equal(built.trim(), path);
  });
}

/** @param {World} world */
async function verification(world) {
  const { machine, sample, cachePublicKey } = world;
  await withFilledCache(world, 'cache-verification', async (server) => {
    const nix = machine('verifying');
    const trust = ['--option', 'trusted-public-keys', cachePublicKey];
    await nix.run([
      'nix',
      'store',
      'verify',
      '-r',
      '--sigs-needed',
      '1',
      '--store',
      server.url,
      sample.root,
      ...trust,
    ]);
    const stranger = ['--option', 'trusted-public-keys', world.publicKey];
    const doubted = await nix.attempt([
      'nix',
      'store',
      'verify',
      '--store',
      server.url,
      sample.root,
      ...stranger,
    ]);
    assert.notEqual(doubted.code, 0);
  });
}
