/** Plans and explanations of a small graph over a store in memory: top needs left and right, both need base. */
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type Derivation, StoreDirectory, type StorePath } from '@neve/nix-compat';
import { StoreError, type Substituter } from '@neve/store';
import { memoryStore } from '@neve/store/testing';
import { beforeEach, expect, test } from 'vitest';
import { type CacheProblem, Decisions, type DecisionsOptions } from './decisions.ts';
import { type Explanation, explainRealisation } from './explain-realisation.ts';
import { KnownPaths } from './known-paths.ts';
import { planRealisation } from './plan-realisation.ts';

const directory = new StoreDirectory('/nix/store', nodeHashes);

let store: ReturnType<typeof memoryStore>;
let derivations: Map<string, Derivation>;
let known: KnownPaths;
let problems: CacheProblem[];

beforeEach(() => {
  store = memoryStore();
  derivations = new Map();
  known = new KnownPaths((_, { hashPart }) => derivations.get(hashPart) as Derivation);
  problems = [];
  describeDerivation('base');
  describeDerivation('left', { needs: ['base'] });
  describeDerivation('right', { needs: ['base'], outputs: ['dev', 'out'] });
  describeDerivation('top', { needs: ['left', 'right'] });
});

function drvPath(name: string): StorePath {
  return directory.makePath('text', nodeHashes.hash('sha256', encodeUtf8(name)), `${name}.drv`);
}

function outPath(name: string, output = 'out'): StorePath {
  return directory.makePath(`output:${output}`, nodeHashes.hash('sha256', encodeUtf8(name)), name);
}

type Recipe = {
  readonly needs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly sources?: readonly StorePath[];
  readonly isFloating?: boolean;
};

function describeDerivation(
  name: string,
  { needs = [], outputs = ['out'], sources = [], isFloating = false }: Recipe = {},
): void {
  const storePath = drvPath(name);
  derivations.set(storePath.hashPart, {
    name,
    outputs: new Map(
      outputs.map((it) => [
        it,
        isFloating
          ? { kind: 'floating', method: 'nar', algorithm: 'sha256' }
          : { kind: 'input-addressed', path: outPath(name, it) },
      ]),
    ),
    inputSources: sources,
    inputDerivations: needs.map((it) => ({ path: drvPath(it), outputs: ['out'] })),
    system: encodeUtf8('x'),
    builder: encodeUtf8('/bin/sh'),
    args: [],
    environment: new Map(),
  });
  known.describeDerivation({ storePath, contents: encodeUtf8(name) });
}

async function put(storePath: StorePath): Promise<void> {
  const node = {
    kind: 'file',
    digest: await store.blobs.put(encodeUtf8('x')),
    size: 1,
    executable: false,
  } as const;
  const rest = { references: [], signatures: [], deriver: undefined, contentAddress: undefined };
  await store.pathInfos.put({
    storePath,
    node,
    narHash: nodeHashes.hash('sha256', encodeUtf8('x')),
    narSize: 8,
    ...rest,
  });
}

function decisions(options: Partial<DecisionsOptions> = {}): Decisions {
  return new Decisions({
    store,
    known,
    substituters: [],
    readDerivation: async ({ storePath }) => derivations.get(storePath.hashPart) as Derivation,
    allowsSubstitutes: () => true,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
}

type Answers = {
  readonly priority?: number;
  readonly has?: readonly StorePath[];
  readonly error?: StoreError;
};

/** A cache that notes what it is asked. */
function cache(name: string, { priority = 1, has = [], error }: Answers, asked: string[] = []): Substituter {
  const refuse = (): void => {
    if (error !== undefined) throw error;
  };
  return {
    name,
    priority: async () => {
      refuse();
      return priority;
    },
    wantsMassQuery: async () => true,
    narInfo: async (hashPart) => {
      asked.push(name);
      refuse();
      const storePath = has.find((it) => it.hashPart === hashPart);
      if (storePath === undefined) return undefined;
      return { storePath, references: [], narSize: 100, fileSize: 10 } as unknown as Awaited<
        ReturnType<Substituter['narInfo']>
      >;
    },
    get: async () => undefined,
    has: async () => false,
    put: async (pathInfo) => pathInfo,
    list: async function* () {},
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const top = { derivation: drvPath('top'), output: 'out' };

test('derivations come after what they need, each once, and say for whom they are', async () => {
  const { builds, unknown } = await planRealisation([top, outPath('left')], decisions());
  expect(builds.map(({ derivation, neededBy }) => `${derivation.name} for ${neededBy?.name}`)).toEqual([
    'base.drv for left.drv',
    'left.drv for top.drv',
    'right.drv for top.drv',
    'top.drv for undefined',
  ]);
  expect(unknown).toEqual([]);
});

test('what is there needs nothing, and what a cache has is counted with its sizes', async () => {
  await put(outPath('left'));
  const substituters = [cache('cache', { has: [outPath('base'), outPath('right')] })];
  const { builds, substitutions } = await planRealisation([top], decisions({ substituters }));
  expect(builds.map(({ derivation }) => derivation.name)).toEqual(['top.drv']);
  expect(substitutions).toEqual([
    { storePath: outPath('right'), from: 'cache', narSize: 100, downloadSize: 10 },
  ]);
});

test('a derivation that is a path for another is planned to be built nevertheless', async () => {
  describeDerivation('lists', { sources: [drvPath('base')], needs: ['base'] });
  const { builds } = await planRealisation([{ derivation: drvPath('lists'), output: 'out' }], decisions());
  expect(builds.map(({ derivation }) => derivation.name)).toEqual(['base.drv', 'lists.drv']);
});

test('what nobody knows is told; a derivation that nobody has is an error', async () => {
  const { unknown } = await planRealisation([outPath('stranger')], decisions());
  expect(unknown).toEqual([outPath('stranger')]);
  await expect(
    planRealisation([{ derivation: drvPath('stranger'), output: 'out' }], decisions()),
  ).rejects.toMatchObject({
    code: 'invalid-derivation',
  });
});

test('an output without a path counts as one that is built', async () => {
  describeDerivation('floating', { isFloating: true, needs: ['base'] });
  const goal = { derivation: drvPath('floating'), output: 'out' };
  expect((await planRealisation([goal], decisions())).builds).toHaveLength(2);
  expect((await explainRealisation(goal, decisions())).reason).toMatch(/^has a path only when it is built/);
});

function asLines({ storePath, kind, needs }: Explanation, indent = ''): readonly string[] {
  return [`${indent}${storePath?.name} ${kind}`, ...needs.flatMap((it) => asLines(it, `${indent}  `))];
}

test('an explanation says what is missing, and each thing once', async () => {
  expect(asLines(await explainRealisation(top, decisions()))).toEqual([
    'top build',
    '  left build',
    '    base build',
    '  right build',
    '    base explained-above',
  ]);
  await put(outPath('base'));
  const substituters = [cache('one', { has: [outPath('left')] }), cache('two', {})];
  const explanation = await explainRealisation(top, decisions({ substituters }));
  expect(asLines(explanation)).toEqual(['top build', '  left substitute', '  right build']);
  expect(explanation.reason).toBe('is neither in the store nor in one, two');
  const local = await explainRealisation(top, decisions({ substituters, allowsSubstitutes: () => false }));
  expect(local.reason).toBe('is not in the store, and its derivation does not let it come from a cache');
});

test('caches are asked by their priorities', async () => {
  const asked: string[] = [];
  const substituters = [cache('late', { priority: 40 }, asked), cache('early', { priority: 10 }, asked)];
  expect((await decisions({ substituters }).decide(outPath('base'))).kind).toBe('build');
  expect(asked).toEqual(['early', 'late']);
});

test('a cache out of reach is asked once, told of once, and done without', async () => {
  const asked: string[] = [];
  const error = new StoreError('io', 'nobody answers');
  const has = [outPath('base')];
  const substituters = [cache('broken', { error }, asked), cache('good', { has }, asked)];
  const { builds, substitutions } = await planRealisation([top], decisions({ substituters }));
  expect(builds).toHaveLength(3);
  expect(substitutions).toHaveLength(1);
  expect(new Set(asked)).toEqual(new Set(['good']));
  expect(problems).toMatchObject([{ substituter: { name: 'broken' }, error, isLast: true }]);
});

test('a cache that is wrong about one path is asked for others', async () => {
  const error = new StoreError('corrupt', 'this narinfo is nonsense');
  const broken = cache('odd', {});
  const odd = {
    ...broken,
    narInfo: async (hashPart: string) => {
      if (hashPart === outPath('top').hashPart) throw error;
      return broken.narInfo(hashPart);
    },
  };
  const deciding = decisions({ substituters: [odd] });
  await planRealisation([top], deciding);
  expect(problems).toMatchObject([{ error, isLast: false, storePath: { name: 'top' } }]);
});
