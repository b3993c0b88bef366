// The suites that an object store in the cloud takes part in: blobs, and directories.

import { randomUUID } from 'node:crypto';

/**
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.url of the bucket or container, with a `/` at the end
 * @param {Readonly<Record<string, string>>} options.settings
 * @param {import('./run.mjs').Library} options.library
 * @returns {readonly import('./run.mjs').Suite[]}
 */
export function objectStoreSuites({ name, url, settings, library }) {
  const { castoreNode, castoreTesting } = library;
  // Each case has a prefix of its own.
  const open = () => castoreNode.openObjectStore(`${url}${randomUUID()}`, { options: settings });
  const openDirectories = async () => castoreNode.objectStoreDirectories(await open());
  const openBlobs = async () => castoreNode.openObjectStoreBlobs({ store: await open() });
  return [
    {
      name: `blobs in ${name}`,
      cases: castoreTesting.blobCompliance.map((it) => ({
        name: it.name,
        run: () => it.run(openBlobs, { splits: true, outboards: true }),
      })),
    },
    {
      name: `directories in ${name}`,
      cases: castoreTesting.directoryCompliance.map((it) => ({
        name: it.name,
        run: () => it.run(openDirectories, { gets: 'roots', puts: 'leaves' }),
      })),
    },
    {
      name: `objects in ${name}`,
      cases: [{ name: 'beyond the end, empty and absent', run: () => checkEdges(open) }],
    },
  ];
}

/** @param {() => ReturnType<import('./run.mjs').Library['castoreNode']['openObjectStore']>} open */
async function checkEdges(open) {
  const store = await open();
  const bytes = Uint8Array.of(1, 2, 3, 4);
  await store.put('a/b', bytes);
  await store.put('a/empty', new Uint8Array());
  equal(await store.get('a/absent'), undefined);
  equal(await store.head('a/absent'), undefined);
  equal((await store.get('a/empty'))?.length, 0);
  for (const [offset, length, expected] of /** @type {const} */ ([
    [0, 4, '1,2,3,4'],
    [2, 10, '3,4'],
    [4, 10, ''],
    [9, 10, ''],
  ])) {
    equal([...(await store.getRange('a/b', { offset, length }))].join(), expected);
  }
  const error = await store
    .getRange('a/absent', { offset: 0, length: 1 })
    .catch((/** @type {any} */ it) => it);
  equal(error.code, 'not-found');
  const keys = [];
  for await (const { key, size, lastModifiedMs } of store.list('a/')) {
    keys.push(`${key} ${size}`);
    equal(Math.abs(Date.now() - lastModifiedMs) < 60_000, true);
  }
  equal(keys.sort().join(), 'a/b 4,a/empty 0');
  await store.delete('a/b');
  await store.delete('a/b');
  equal(await store.get('a/b'), undefined);
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
function equal(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, there was ${String(actual)}`);
}
