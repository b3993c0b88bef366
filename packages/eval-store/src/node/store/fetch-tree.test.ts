// The fetcher is one of the test's own, which gives one text for everything.
import { expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { FetchRequest } from '@neve/eval';
import { type Fetch, FetchError } from '@neve/fetch';
import { StoreDirectory } from '@neve/nix-compat';
import { KnownPaths } from '@neve/realise';
import { narCalculationByRendering } from '@neve/store';
import { memoryStore } from '@neve/store/testing';
import { treeFetcher } from './fetch-tree.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const contents = encodeUtf8('hello');
const hash = nodeHashes.hash('sha256', contents).format('sri');

function setUp(failure?: FetchError): {
  readonly fetched: Fetch[];
  readonly known: KnownPaths;
  readonly store: ReturnType<typeof memoryStore>;
  readonly fetch: (attributes: Record<string, string>, kind?: FetchRequest['kind']) => Promise<string>;
} {
  const store = memoryStore();
  const fetched: Fetch[] = [];
  const known = new KnownPaths(() => {
    throw new Error('no derivation is read here');
  });
  const fetchTree = treeFetcher({
    fetcher: {
      async fetch(fetch) {
        fetched.push(fetch);
        if (failure !== undefined) throw failure;
        const node = {
          kind: 'file',
          digest: await store.blobs.put(contents),
          size: 5,
          executable: false,
        } as const;
        const nar = await narCalculationByRendering({ ...store, hashes: nodeHashes }).calculateNar(node);
        const contentAddress = { method: 'flat', digest: nodeHashes.hash('sha256', contents) } as const;
        return { node, ...nar, contentAddress, source: 'test:', lastModified: undefined };
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    store,
    storeDirectory,
    known,
    experimentalFeatures: new Set(),
  });
  const fetch = async (
    attributes: Record<string, string>,
    kind: FetchRequest['kind'] = 'url',
  ): Promise<string> =>
    (await fetchTree({ kind, attributes: new Map(Object.entries(attributes)), pure: false })).storePath;
  return { fetched, known, store, fetch };
}

const url = 'https://example.org/hello.txt';
// nix-store --add-fixed sha256 hello.txt
const helloPath = '/nix/store/iixxin28s82lrxs8v4lcf7nha2dkwprm-hello.txt';

test('with a hash it is described, and not fetched', async () => {
  const { fetched, known, store, fetch } = setUp();
  const path = await fetch({ url, name: 'hello.txt', sha256: hash });
  expect(path).toBe(helloPath);
  expect(fetched).toEqual([]);
  expect(known.path(storeDirectory.parse(path))).toMatchObject({
    kind: 'fetch',
    fetch: { kind: 'url', urls: [url] },
  });
  expect(await store.pathInfos.has(storeDirectory.parse(path).hashPart)).toBe(false);
});

test('without a hash it is fetched and registered at once', async () => {
  const { fetched, known, store, fetch } = setUp();
  const path = await fetch({ url, name: 'hello.txt' });
  expect(path).toBe(helloPath);
  expect(fetched).toHaveLength(1);
  const storePath = storeDirectory.parse(path);
  expect(known.path(storePath)).toBe(undefined);
  expect(await store.pathInfos.get(storePath.hashPart)).toMatchObject({
    storePath,
    references: [],
    narSize: 120,
  });
});

test('a failure leaves nothing', async () => {
  const { fetch, store } = setUp(new FetchError('unsupported', 'not today'));
  await expect(fetch({ url, name: 'hello.txt' })).rejects.toThrow('not today');
  expect(await store.pathInfos.has(storeDirectory.parse(helloPath).hashPart)).toBe(false);
});
