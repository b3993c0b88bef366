/** What a real Nix 2.34 says about the same is compared in `tests/fetch`; here is what needs none. */
import { parseDigest } from '@neve/bytes';
import { emptyDirectory } from '@neve/castore';
import { expect, test } from 'vitest';
import { fetchResultAttributes, readFetchArguments } from './fetch-arguments.ts';
import type { Fetched } from './fetcher.ts';

const revision = '0123456789abcdef0123456789abcdef01234567';
const digest = parseDigest('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');

const fetched: Fetched = {
  node: emptyDirectory.node,
  narHash: digest,
  narSize: 1,
  contentAddress: { method: 'nar', digest },
  source: 'https://h/x',
  lastModified: 1234567890,
};

test('fetchurl: a text, a name of its own, a hash', () => {
  expect(readFetchArguments('fetchurl', 'https://h/a/b.txt').fetch).toEqual({
    kind: 'url',
    name: 'b.txt',
    urls: ['https://h/a/b.txt'],
    hash: undefined,
  });
  const given = new Map([
    ['url', 'https://h/x'],
    ['name', 'n'],
    ['sha256', digest.format('nix32')],
  ]);
  expect(readFetchArguments('fetchurl', given).fetch).toMatchObject({ name: 'n', hash: digest });
});

test('fetchTarball: the name is source, a channel is a tarball', () => {
  const { fetch, result } = readFetchArguments('fetchTarball', 'channel:nixos-unstable');
  expect(fetch).toMatchObject({
    kind: 'tarball',
    name: 'source',
    urls: ['https://channels.nixos.org/nixos-unstable/nixexprs.tar.xz'],
  });
  expect(fetchResultAttributes(result, fetched)).toBeUndefined();
});

test('an empty hash is one of zeroes, and is warned of', () => {
  const given = new Map([
    ['url', 'https://h/x'],
    ['sha256', ''],
  ]);
  expect(readFetchArguments('fetchurl', given)).toMatchObject({
    fetch: { hash: { algorithm: 'sha256', bytes: new Uint8Array(32) } },
    warnings: ["found empty hash, assuming 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"],
  });
});

test('fetchGit leaves out what is not exported, unless submodules are asked for; fetchTree is shallow', () => {
  const git = (more: [string, string | boolean][]): unknown =>
    readFetchArguments('fetchGit', new Map([['url', '/x'], ...more])).fetch;
  expect(git([])).toMatchObject({ url: 'file:///x', exportIgnore: true, shallow: false });
  expect(git([['submodules', true]])).toMatchObject({ exportIgnore: false, submodules: true });
  const tree = new Map([
    ['type', 'git'],
    ['url', '/x'],
  ]);
  expect(readFetchArguments('fetchTree', tree).fetch).toMatchObject({ exportIgnore: false, shallow: true });
});

test('fetchGit of a dirty tree has a revision of zeroes, fetchTree has none', () => {
  const git = { revision: undefined, dirtyRevision: revision, revisionCount: undefined, ref: undefined };
  const dirty = { ...fetched, git };
  const common = {
    narHash: digest.format('sri'),
    submodules: false,
    dirtyRev: `${revision}-dirty`,
    dirtyShortRev: '0123456-dirty',
    lastModified: 1234567890n,
    lastModifiedDate: '20090213233130',
  };
  const attributes = (builtin: 'fetchGit' | 'fetchTree', argument: Map<string, string>): unknown =>
    Object.fromEntries(fetchResultAttributes(readFetchArguments(builtin, argument).result, dirty) ?? []);
  const tree = new Map([
    ['type', 'git'],
    ['url', '/x'],
  ]);
  expect(attributes('fetchTree', tree)).toEqual(common);
  expect(attributes('fetchGit', new Map([['url', '/x']]))).toEqual({
    ...common,
    rev: '0'.repeat(40),
    shortRev: '0000000',
    revCount: 0n,
  });
});

test('a tarball that has a URL which never changes is locked by it', () => {
  const argument = new Map([
    ['type', 'tarball'],
    ['url', 'https://h/latest.tar.gz'],
  ]);
  const { result } = readFetchArguments('fetchTree', argument);
  const immutable = `https://h/1.tar.gz?rev=${revision}`;
  expect(
    Object.fromEntries(fetchResultAttributes(result, { ...fetched, immutableUrl: immutable }) ?? []),
  ).toMatchObject({
    rev: revision,
    lastModified: 1234567890n,
  });
  expect(() => fetchResultAttributes(result, { ...fetched, immutableUrl: 'git+https://h/x' })).toThrow(
    'non-tarball',
  );
});

test('Mercurial: a revision of 40 digits is one, everything else a branch', () => {
  const read = (rev: string): unknown =>
    readFetchArguments(
      'fetchMercurial',
      new Map([
        ['url', '/x'],
        ['rev', rev],
      ]),
    ).fetch;
  expect(read(revision)).toMatchObject({ revision, ref: undefined, url: 'file:///x' });
  expect(read('default')).toMatchObject({ revision: undefined, ref: 'default' });
});
