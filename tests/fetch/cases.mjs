// The cases: a builtin and its argument. `same` says what has to be equal:
//
//     result    everything that the builtin gives
//     message   both fail, with the same text
//     failure   both fail, in words of their own
//     ours      only Neve gives something; the case says why

/** @typedef {{ builtin: import('@neve/fetch').FetchBuiltin, argument: import('./nix-text.mjs').Argument, same: 'result' | 'message' | 'failure' | 'ours', pure?: boolean }} Case */

/**
 * @param {{ folder: string, server: string, ssh: string | undefined, revisions: Record<string, string>, archives: readonly string[], hasMercurial: boolean }} places
 * @returns {readonly Case[]}
 */
export function allCases({ folder, server, ssh, revisions, archives, hasMercurial }) {
  const at = (/** @type {string} */ name) => `${folder}/${name}`;
  return [
    ...gitResults(at, server, revisions),
    ...gitFailures(at, revisions),
    ...downloads(at, server, archives),
    ...references(at, revisions),
    ...(hasMercurial ? mercurial(at) : []),
    ...(ssh === undefined ? [] : overSsh(`${ssh}${folder}`, revisions)),
  ];
}

const zeroHash = 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';

/**
 * @param {Case['builtin']} builtin
 * @param {Case['argument']} argument
 * @param {Case['same']} [same]
 * @returns {Case}
 */
function call(builtin, argument, same = 'result') {
  return { builtin, argument, same };
}

/**
 * @param {(name: string) => string} at
 * @param {string} server
 * @param {Record<string, string>} revisions
 */
function gitResults(at, server, { first, second, side, hidden, outerRevision, middleRevision }) {
  const repo = at('repo');
  const bare = `file://${at('bare.git')}`;
  /** @type {import('./nix-text.mjs').Argument[]} */
  const gits = [
    ...[
      'repo',
      'dirty',
      'touched',
      'no-commits',
      'only-staged',
      'detached',
      'worktree',
      'ignoring',
      'outer',
      'crlf',
    ].map(at),
    `file://${repo}`,
    `git+file://${repo}`,
    bare,
    at('bare.git'),
    `${server}/bare.git`,
    ...[
      'main',
      'side/branch',
      'light',
      'annotated',
      'refs/heads/main',
      'refs/tags/annotated',
      'HEAD',
      'other',
    ].map((ref) => ({ url: repo, ref })),
    ...['main', 'side/branch', 'refs/tags/light', 'refs/tags/annotated', 'HEAD'].map((ref) => ({
      url: bare,
      ref,
    })),
    ...[first, second, side, hidden].map((rev) => ({ url: repo, rev: rev ?? '' })),
    ...[first, second, side].map((rev) => ({ url: bare, rev: rev ?? '' })),
    { url: `${server}/bare.git`, ref: 'side/branch' },
    { url: `${server}/bare.git`, rev: first ?? '' },
    { url: `${server}/bare.git`, shallow: true },
    { url: bare, rev: side ?? '', allRefs: true },
    { url: bare, allRefs: true },
    { url: bare, allRefs: true, ref: 'side/branch' },
    { url: bare, rev: first ?? '', ref: 'side/branch' },
    { url: bare, rev: (first ?? '').toUpperCase() },
    { url: bare, shallow: true },
    { url: bare, shallow: true, ref: 'side/branch' },
    { url: bare, shallow: true, rev: first ?? '' },
    { url: repo, shallow: true },
    { url: repo, ref: 'main', shallow: true },
    { url: at('dirty'), shallow: true },
    { url: at('dirty'), ref: 'main' },
    { url: at('dirty'), exportIgnore: false },
    { url: at('shallow'), shallow: true },
    { url: at('shallow') },
    { url: repo, name: 'other-name' },
    { url: at('ignoring'), exportIgnore: false },
    { url: at('ignoring'), ref: 'main' },
    { url: at('ignoring'), ref: 'main', exportIgnore: false },
    { url: `file://${at('ignoring.git')}` },
    { url: `file://${at('ignoring.git')}`, exportIgnore: false },
    { url: at('ignoring'), submodules: true },
    { url: at('outer'), submodules: true },
    { url: at('outer'), ref: 'main' },
    { url: at('outer'), ref: 'main', submodules: true },
    { url: at('outer'), rev: outerRevision ?? '', submodules: true },
    { url: `file://${at('outer.git')}` },
    { url: `file://${at('outer.git')}`, submodules: true },
    { url: at('dirty-outer') },
    { url: at('dirty-outer'), submodules: true },
    { url: at('crlf'), ref: 'main' },
  ];
  const trees = [
    { url: repo },
    { url: repo, shallow: false },
    { url: at('dirty') },
    { url: bare },
    { url: bare, shallow: false },
    { url: bare, ref: 'side/branch', shallow: false },
    { url: at('ignoring') },
    { url: at('ignoring'), exportIgnore: true },
    { url: at('no-commits') },
    { url: at('outer'), submodules: true },
    { url: bare, rev: first ?? '', ref: 'main' },
  ];
  return [
    ...gits.map((argument) => call('fetchGit', argument)),
    ...trees.map((argument) => call('fetchTree', { type: 'git', ...argument })),
    ...[
      `git+file://${repo}`,
      `git+file://${repo}?shallow=1`,
      `git+file:${repo}?ref=main&unknown=1`,
      `git+file://${repo}?rev=${first}`,
      `git+file://${at('outer')}?submodules=1`,
      `git+file://${at('ignoring')}?exportIgnore=1`,
      `git+${server}/bare.git?ref=side/branch`,
    ].map((url) => call('fetchTree', url)),
    // Nix loses the first slash of the path when it puts a relative URL of a submodule and one of `file:` together.
    call(
      'fetchGit',
      { url: `file://${at('middle.git')}`, submodules: true, rev: middleRevision ?? '' },
      'ours',
    ),
    // Nix takes the revision for the name of a branch.
    call('fetchGit', `file://${at('detached.git')}`, 'ours'),
  ];
}

/**
 * @param {(name: string) => string} at
 * @param {Record<string, string>} revisions
 */
function gitFailures(at, { first }) {
  const repo = at('repo');
  const bare = `file://${at('bare.git')}`;
  const nothing = '0123456789012345678901234567890123456789';
  return [
    ...[
      {},
      { url: 1 },
      { url: at('nowhere') },
      { url: repo, submodules: 1 },
      { url: repo, rev: 'abc' },
      { url: repo, rev: '' },
      { url: repo, ref: '' },
      { url: repo, ref: 'a..b' },
      { url: repo, ref: '-x' },
      { url: repo, ref: 'x.lock' },
      { url: repo, ref: '@' },
      { url: repo, unknown: 'x' },
      { url: repo, type: 'git' },
      { url: repo, revCount: -1 },
      { url: repo, verifyCommit: true },
      { url: repo, submodules: true, exportIgnore: true },
      { url: repo, lastModified: 5 },
      { url: repo, ref: 'main', revCount: 77 },
      { url: repo, narHash: 'x' },
      { url: repo, narHash: `sha1-${'A'.repeat(27)}=` },
      { url: 'host:path' },
      { url: at('shallow'), ref: 'main' },
      { url: 'ext::sh -c true' },
      { url: 'https://[::1' },
      { url: `file://host${repo}` },
      { url: 'https://host/a b' },
      { url: 'https://host:99999/' },
      { url: `file://${at('%zz')}` },
    ].map((argument) => call('fetchGit', argument, 'message')),
    ...[
      { url: repo, ref: 'nowhere' },
      { url: bare, ref: 'nowhere' },
      { url: bare, ref: 'light' },
      { url: repo, rev: nothing },
      { url: bare, rev: nothing },
      { url: repo, narHash: zeroHash },
      { url: bare, rev: first ?? '', narHash: zeroHash },
      { url: `file://${at('bare.git')}/objects` },
      { url: '-oProxyCommand=x' },
      { url: at('no-commits'), ref: 'main' },
    ].map((argument) => call('fetchGit', argument, 'failure')),
    call('fetchGit', 'host:path', 'message'),
    { ...call('fetchGit', { url: repo }, 'message'), pure: true },
    { ...call('fetchTree', { type: 'git', url: bare }, 'message'), pure: true },
    { ...call('fetchGit', { url: bare, rev: first ?? '' }), pure: true },
    { ...call('fetchurl', `file://${repo}/a.b`, 'message'), pure: true },
    { ...call('fetchTarball', `file://${repo}/a.b`, 'message'), pure: true },
    { ...call('fetchMercurial', repo, 'message'), pure: true },
  ];
}

/**
 * @param {(name: string) => string} at
 * @param {string} server
 * @param {readonly string[]} archives
 */
function downloads(at, server, archives) {
  const bad = new Set(['half.tar.gz', 'not-an-archive.tar']);
  const places = [`file://${at('archives')}`, `${server}/archives`];
  const file = `file://${at('repo/a.b')}`;
  return [
    ...archives.flatMap((name) =>
      places.flatMap((place) => [
        call('fetchTree', { type: 'tarball', url: `${place}/${name}` }, bad.has(name) ? 'failure' : 'result'),
        call('fetchTarball', `${place}/${name}`, bad.has(name) ? 'failure' : 'result'),
      ]),
    ),
    call('fetchTree', `${server}/archives/one.tar.gz`),
    call(
      'fetchTree',
      `tarball+${server}/archives/one.tar.gz?narHash=&rev=${'1'.repeat(40)}&revCount=7`,
      'failure',
    ),
    call(
      'fetchTree',
      `tarball+${server}/archives/one.tar.gz?rev=${'1'.repeat(40)}&revCount=7&lastModified=9`,
    ),
    call('fetchTree', `${server}/redirect/archives/one.tar.gz`),
    call('fetchTree', `${server}/immutable/archives/one.tar.gz`),
    call('fetchTarball', { url: `${server}/archives/one.tar.gz`, name: 'named' }),
    call('fetchTarball', { url: `${server}/archives/one.tar.gz`, sha256: zeroHash }, 'message'),
    call('fetchTarball', `${server}/nowhere.tar.gz`, 'failure'),
    call('fetchTarball', `file://${at('nowhere.tar')}`, 'failure'),
    call('fetchTarball', '/no/scheme', 'message'),
    call('fetchTarball', { url: file, unknown: 1 }, 'message'),
    call('fetchurl', file),
    call('fetchurl', `${server}/archives/one.tar.gz`),
    call('fetchurl', `${server}/redirect/archives/one.tar.gz`),
    call('fetchurl', { url: file, name: 'named' }),
    call('fetchurl', { url: file, sha256: zeroHash }, 'message'),
    call('fetchurl', { url: file, sha256: '' }, 'message'),
    call('fetchurl', { url: file, sha256: 'abc' }, 'message'),
    call('fetchurl', { url: file, sha256: 'sha1-AAA' }, 'message'),
    call('fetchurl', { name: 'x' }, 'message'),
    call('fetchurl', { url: file, urls: 'x' }, 'message'),
    call('fetchurl', `${file}?a=b c`, 'message'),
    call('fetchurl', { url: `${file}?a=b c` }, 'message'),
    call('fetchurl', { url: file, name: 'a b' }, 'message'),
    call('fetchurl', `file://${at('nowhere')}`, 'failure'),
    call('fetchurl', `${server}/nowhere`, 'failure'),
    call('fetchTree', { type: 'file', url: file }),
    call('fetchTree', { type: 'file', url: `${server}/archives/one.tar.gz` }),
    call('fetchTree', { type: 'file', url: file, lastModified: 1, revCount: 2, rev: '1'.repeat(40) }),
    call('fetchTree', `file+${file}`),
    call('fetchTree', `file+${file}?narHash=${encodeURIComponent(zeroHash)}`, 'failure'),
    call('fetchTree', { type: 'tarball' }, 'message'),
    call('fetchTree', { type: 'tarball', url: 'nowhere' }, 'message'),
    call('fetchTree', { type: 'tarball', url: file, revCount: 'x' }, 'message'),
    call('fetchTree', { type: 'tarball', url: file, unknown: 'x' }, 'message'),
  ];
}

/**
 * @param {(name: string) => string} at
 * @param {Record<string, string>} revisions
 */
function references(at, { first }) {
  const path = at('archives/tree');
  return [
    call('fetchTree', { type: 'path', path }),
    call('fetchTree', { type: 'path', path: `${path}/beside` }),
    call('fetchTree', { type: 'path', path, lastModified: 3, rev: first ?? '', revCount: 4 }),
    call('fetchTree', `path:${path}?lastModified=3`),
    call('fetchTree', { type: 'path', path: at('nowhere') }, 'failure'),
    call('fetchTree', { type: 'path', path, narHash: zeroHash }, 'failure'),
    ...[
      'path:relative',
      `path:${path}?unknown=1`,
      `path:${path}?lastModified=x`,
      `path://host${path}`,
      '/absolute',
      'nixpkgs',
      `file+git://${path}`,
      'flake:nixpkgs/x/y/z',
      'flake:0',
      'flake:nixpkgs/a..b',
      'github:owner',
      'github:owner/repo/ref?ref=other',
      'github:owner/repo/a..b',
      'github:owner/repo?host=a_b',
      'gitlab:owner/repo/x?rev=1&ref=y',
      'unknown:x',
    ].map((url) => call('fetchTree', url, 'message')),
    ...[
      { type: 'path' },
      { type: 'path', path, unknown: 1 },
      { type: 'path', path: 'relative' },
      { type: 'git', url: path, name: 'x' },
      { type: 'unknown', url: path },
      { url: path },
      { type: 'indirect', id: '0' },
      { type: 'github', owner: 'a' },
      { type: 'github', owner: 'a', repo: 'b', ref: 'x', rev: 'y' },
      { type: 'github', owner: 'a', repo: 'b', rev: 'y' },
      { type: 'github', owner: 'a', repo: 'b', unknown: 'y' },
      { type: 'sourcehut', owner: 'a', repo: 'b', host: 'a b' },
      { type: 'hg', url: 'nowhere' },
      { type: 'hg', url: 'file:///x', ref: '%' },
      { type: 'hg', url: 'file:///x', unknown: 'x' },
      { type: 'git', url: path, ref: 1 },
      { type: 'git', url: path, rev: true },
    ].map((argument) => call('fetchTree', argument, 'message')),
    call('fetchMercurial', {}, 'message'),
    call('fetchMercurial', { url: path, unknown: 1 }, 'message'),
    call('fetchMercurial', { url: path, rev: '%' }, 'message'),
  ];
}

/** @param {(name: string) => string} at */
function mercurial(at) {
  const url = `file://${at('hg')}`;
  return [
    call('fetchMercurial', at('hg')),
    call('fetchMercurial', url),
    call('fetchMercurial', { url, rev: 'side' }),
    call('fetchMercurial', { url, rev: '0', name: 'named' }),
    call('fetchMercurial', { url, rev: 'nowhere' }, 'failure'),
    call('fetchMercurial', at('nowhere'), 'failure'),
    call('fetchMercurial', at('hg-dirty')),
    call('fetchTree', { type: 'hg', url }),
    call('fetchTree', `hg+${url}?ref=side`),
    call('fetchTree', { type: 'hg', url: `file://${at('hg-dirty')}` }),
  ];
}

/**
 * @param {string} root
 * @param {Record<string, string>} revisions
 */
function overSsh(root, { first, side }) {
  const url = `${root}/bare.git`;
  return [
    call('fetchGit', url),
    call('fetchGit', `git+${url}`),
    call('fetchGit', { url, ref: 'side/branch' }),
    call('fetchGit', { url, rev: first ?? '' }),
    call('fetchGit', { url, rev: side ?? '', allRefs: true }),
    call('fetchGit', { url, shallow: true }),
    call('fetchGit', { url: `${root}/outer.git`, submodules: true }),
    call('fetchTree', `git+${url}?ref=side/branch`),
    call('fetchTree', { type: 'git', url, ref: 'side/branch' }),
    call('fetchGit', `${root}/absent.git`, 'failure'),
  ];
}
