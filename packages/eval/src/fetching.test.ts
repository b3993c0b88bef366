/** What the builtins that fetch ask of the world, and what they make of its answers. */
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Answer, EvalIOError, type FetchRequest, type FetchedTree } from './eval-io.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { evaluateToJson, newEvaluator } from './testing/evaluate.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));
const debugCore = new WebAssembly.Module(readFileSync(debugCoreUrl));

const storePath = '/nix/store/00000000000000000000000000000000-source';
const revision = '0123456789abcdef0123456789abcdef01234567';
const empty = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const emptyAsNix32 = '0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73';

const fetched: FetchedTree = {
  storePath,
  attributes: new Map<string, string | bigint | boolean>([
    ['rev', revision],
    ['revCount', 12n],
    ['submodules', false],
  ]),
};

type Asked = [kind: string, attributes: object | string, pure: boolean];

/** Evaluates where fetching succeeds, at once or later. Returns what was asked, too. */
async function run(
  text: string,
  {
    core: testedCore = core,
    later = false,
    features = [],
    pureEval = false,
  }: { core?: WebAssembly.Module; later?: boolean; features?: string[]; pureEval?: boolean } = {},
): Promise<{ value: unknown; asked: Asked[] }> {
  const asked: Asked[] = [];
  const fetch = ({ kind, attributes, pure }: FetchRequest): Answer<FetchedTree> => {
    asked.push([kind, typeof attributes === 'string' ? attributes : Object.fromEntries(attributes), pure]);
    return later ? new Promise((resolve) => setTimeout(resolve, 1, fetched)) : fetched;
  };
  const settings = { experimentalFeatures: new Set(features), pureEval };
  const evaluator = newEvaluator({ ...emptyWorld, fetch }, { core: testedCore, settings });
  return { value: await evaluateToJson(evaluator, text), asked };
}

describe.each([
  ['release', core],
  ['debug', debugCore],
])('%s core', (_, testedCore) => {
  test.each([false, true])('fetchGit gives what the world says (later: %s)', async (later) => {
    const { value, asked } = await run(
      '(x: removeAttrs x [ "outPath" ] // { context = builtins.getContext x.outPath; path = "${x}"; }) ' +
        '(builtins.fetchGit { url = "https://x/y"; shallow = true; depth = 1 + 2; })',
      { core: testedCore, later },
    );
    expect(value).toEqual({
      rev: revision,
      revCount: 12,
      submodules: false,
      context: { [storePath]: { path: true } },
      path: storePath,
    });
    expect(asked).toEqual([
      ['git', { url: 'https://x/y', shallow: true, depth: 3n, exportIgnore: true }, false],
    ]);
  });

  test('fetchurl and fetchTarball are store paths', async () => {
    const { value, asked } = await run(
      `let inherit (builtins) fetchurl fetchTarball getContext; in [
        (fetchurl "http://x/a.c") (fetchTarball "http://x/b.tar.gz")
        (fetchurl { url = "http://x/"; name = "n"; sha256 = "${emptyAsNix32}"; })
        (getContext (fetchTarball { url = "http://x/z"; sha256 = "${empty}"; }))
      ]`,
      { core: testedCore, later: true },
    );
    expect(value).toEqual([storePath, storePath, storePath, { [storePath]: { path: true } }]);
    expect(asked).toEqual([
      ['url', { url: 'http://x/a.c', name: 'a.c' }, false],
      ['tarball', { url: 'http://x/b.tar.gz', name: 'source' }, false],
      ['url', { url: 'http://x/', name: 'n', sha256: empty }, false],
      ['tarball', { url: 'http://x/z', name: 'source', sha256: empty }, false],
    ]);
  });
});

/** What a program asks for; the result is not looked at. */
const requests: [program: string, asked: Asked, features?: string[]][] = [
  ['builtins.fetchGit /repository', ['git', { url: '/repository', exportIgnore: true }, false]],
  ['builtins.fetchGit { url = ./x; submodules = true; }', ['git', { url: '/x', submodules: true }, false]],
  [
    'builtins.fetchGit { url = "a"; exportIgnore = false; }',
    ['git', { url: 'a', exportIgnore: false }, false],
  ],
  ['builtins.fetchMercurial "a"', ['mercurial', { url: 'a', name: 'source' }, false]],
  [
    'builtins.fetchMercurial { url = { outPath = "a"; }; rev = "stable"; name = "n"; }',
    ['mercurial', { url: 'a', name: 'n', ref: 'stable' }, false],
  ],
  [
    `builtins.fetchMercurial { url = "a"; rev = "${revision}"; }`,
    ['mercurial', { url: 'a', name: 'source', rev: revision }, false],
  ],
  [
    'builtins.fetchTree { type = "git"; url = "a"; }',
    ['tree', { type: 'git', url: 'a', shallow: true }, false],
    ['fetch-tree'],
  ],
  [
    'builtins.fetchTree { type = "path"; path = "/a"; lastModified = 1; }',
    ['tree', { type: 'path', path: '/a', lastModified: 1n }, false],
    ['fetch-tree'],
  ],
  ['builtins.fetchTree "github:a/b"', ['tree', 'github:a/b', false], ['flakes']],
  [
    'builtins.fetchTree { type = "git"; url = "a"; publicKeys = [ { key = "k"; } ]; }',
    ['tree', { type: 'git', url: 'a', shallow: true, publicKeys: '[{"key":"k"}]' }, false],
    ['fetch-tree', 'verified-fetches'],
  ],
];

test.each(requests)('%s', async (program, expected, features = []) => {
  const { asked } = await run(`builtins.seq (${program}) null`, { features });
  expect(asked).toEqual([expected]);
});

test('pure evaluation is part of the request', async () => {
  const { asked } = await run('builtins.seq (builtins.fetchGit "a") null', { pureEval: true });
  expect(asked).toEqual([['git', { url: 'a', exportIgnore: true }, true]]);
});

test.each([false, true])('a refusal of the world is an error of the program (later: %s)', async (later) => {
  const refusal = new EvalIOError('not-found', 'there is no such repository');
  const fetch = (): Answer<FetchedTree> => {
    if (later) return Promise.reject(refusal);
    throw refusal;
  };
  const evaluator = newEvaluator({ ...emptyWorld, fetch }, { core });
  await expect(evaluateToJson(evaluator, 'builtins.fetchGit "a"')).rejects.toMatchObject({
    diagnostic: {
      message: 'there is no such repository',
      traces: [{ message: "while calling the 'fetchGit' builtin" }],
    },
  });
});

test('without a world that fetches, the builtin says what it cannot fetch', async () => {
  await expect(
    evaluateToJson(newEvaluator(emptyWorld, { core }), 'builtins.fetchTarball "http://x/y"'),
  ).rejects.toThrow(
    "nothing can be fetched here: builtins.fetchTarball of 'http://x/y'; this host has no fetchers, the command 'neve eval' has",
  );
});

test.each([
  [
    'builtins.getFlake "nixpkgs"',
    "Neve cannot use flakes yet: builtins.getFlake of 'nixpkgs'; import a file",
  ],
  ['builtins.flakeRefToString { }', 'Neve cannot use flakes yet: builtins.flakeRefToString; import a file'],
  [
    'builtins.fetchClosure { }',
    'Neve cannot fetch closures yet: builtins.fetchClosure; have it copied before, and use builtins.storePath',
  ],
])('what Neve does not have says what does instead: %s', async (text, message) => {
  const experimentalFeatures = new Set(['flakes', 'fetch-closure']);
  const evaluator = newEvaluator(emptyWorld, { core, settings: { experimentalFeatures } });
  await expect(evaluateToJson(evaluator, text)).rejects.toThrow(message);
});
