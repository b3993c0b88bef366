/**
 * Graphs of made-up derivations over stores in memory. The builder is one of the test's own: it makes a file that names what
 * it was made of, and records what happened when.
 */
import { Digest, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { FetchError, type Fetcher } from '@neve/fetch';
import { type Derivation, StoreDirectory, type StorePath } from '@neve/nix-compat';
import {
  type PathInfo,
  type StoreServices,
  type Substituter,
  memoryPathInfos,
  narCalculationByRendering,
} from '@neve/store';
import { expect, test } from 'vitest';
import type { BuildJob, DerivationBuilder, ReadyDerivation } from './derivation-builder.ts';
import { KnownPaths } from './known-paths.ts';
import type { RealiseEvent } from './realise-event.ts';
import { Realiser, type RealiserOptions } from './realiser.ts';
import { SharedBuilds } from './shared-builds.ts';
import { memoryLocks } from './work-locks.ts';

const directory = new StoreDirectory('/nix/store', nodeHashes);

/** A derivation of the test: the names of those that it needs, and of sources. */
type Recipe = {
  readonly needs?: readonly string[];
  readonly sources?: readonly StorePath[];
  readonly outputs?: readonly string[];
};

class World {
  readonly store: StoreServices;
  readonly derivations = new Map<string, Derivation>();
  readonly known = new KnownPaths((_, { hashPart }) => this.derivations.get(hashPart) as Derivation);
  readonly events: string[] = [];
  readonly failing = new Set<string>();
  builds = 0;
  mostAtOnce = 0;
  #running = 0;

  constructor() {
    const [blobs, directories] = [memoryBlobs(), memoryDirectories()];
    this.store = { blobs, directories, pathInfos: memoryPathInfos() };
  }

  drvPath(name: string): StorePath {
    return directory.makePath('text', nodeHashes.hash('sha256', encodeUtf8(name)), `${name}.drv`);
  }

  outPath(name: string, output = 'out'): StorePath {
    return directory.makePath(`output:${output}`, nodeHashes.hash('sha256', encodeUtf8(name)), name);
  }

  describe(name: string, { needs = [], sources = [], outputs = ['out'] }: Recipe = {}): StorePath {
    const storePath = this.drvPath(name);
    const derivation: Derivation = {
      name,
      outputs: new Map(outputs.map((it) => [it, { kind: 'input-addressed', path: this.outPath(name, it) }])),
      inputSources: sources,
      inputDerivations: needs.map((it) => ({ path: this.drvPath(it), outputs: ['out'] })),
      system: encodeUtf8('x'),
      builder: encodeUtf8('/bin/sh'),
      args: [],
      environment: new Map(),
    };
    this.derivations.set(storePath.hashPart, derivation);
    this.known.describeDerivation({ storePath, contents: encodeUtf8(name) });
    return storePath;
  }

  describeText(name: string, references: readonly StorePath[] = []): StorePath {
    const contents = encodeUtf8(`the text ${name}`);
    const digest = nodeHashes.hash('sha256', contents);
    const storePath = directory.textPath({
      name,
      digest,
      references: references.map((it) => directory.print(it)),
    });
    this.known.describe({ kind: 'text', storePath, contents, references });
    return storePath;
  }

  realiser(options: Partial<RealiserOptions> = {}): Realiser {
    return new Realiser({
      store: this.store,
      known: this.known,
      substituters: [],
      readDerivation: async ({ storePath }) => this.derivations.get(storePath.hashPart) as Derivation,
      storeDirectory: directory,
      hashes: nodeHashes,
      narCalculation: narCalculationByRendering({ ...this.store, hashes: nodeHashes }),
      builder: this.builder,
      fetcher: noFetcher,
      locks: memoryLocks(),
      limits: { builds: 2, substitutions: 2, downloads: 2 },
      fallback: false,
      keepGoing: false,
      onEvent: (event) => this.#record(event),
      ...options,
    });
  }

  readonly builder: DerivationBuilder = {
    allowsSubstitutes: () => true,
    fetchOf: () => undefined,
    prepare: async (ready) => this.#job(ready),
  };

  #job({ derivation, closure }: ReadyDerivation): BuildJob {
    const { name, outputs } = derivation;
    const outputPaths = new Map([...outputs.keys()].map((it) => [it, this.outPath(name, it)]));
    return {
      lockedPaths: [...outputPaths.values()],
      present: async () => {
        const found = new Map<string, PathInfo>();
        for (const [output, { hashPart }] of outputPaths) {
          const pathInfo = await this.store.pathInfos.get(hashPart);
          if (pathInfo !== undefined) found.set(output, pathInfo);
        }
        return found.size === outputPaths.size ? found : undefined;
      },
      build: async () => {
        this.builds++;
        this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        this.#running--;
        if (this.failing.has(name)) throw new Error(`${name} is broken`);
        const made = new Map<string, PathInfo>();
        for (const output of outputs.keys()) {
          const text = [name, output, ...closure.map((it) => it.storePath.name).sort()].join(' ');
          made.set(output, await this.put(this.outPath(name, output), text));
        }
        return made;
      },
    };
  }

  async put(storePath: StorePath, text: string, store: StoreServices = this.store): Promise<PathInfo> {
    const bytes = encodeUtf8(text);
    const node = {
      kind: 'file',
      digest: await this.store.blobs.put(bytes),
      size: bytes.length,
      executable: false,
    } as const;
    const narHash = new Digest('sha256', new Uint8Array(32));
    const rest = { references: [], signatures: [], deriver: undefined, contentAddress: undefined };
    return await store.pathInfos.put({ storePath, node, narHash, narSize: 8, ...rest });
  }

  async contents(pathInfo: PathInfo): Promise<string> {
    if (pathInfo.node.kind !== 'file') throw new Error('no file');
    await using reader = await this.store.blobs.open(pathInfo.node.digest);
    return new TextDecoder().decode(await reader?.read(0, pathInfo.node.size));
  }

  #record(event: RealiseEvent): void {
    if (event.kind === 'build-started') this.events.push(`start ${event.derivation.name}`);
    if (event.kind === 'build-ended') this.events.push(`end ${event.derivation.name}`);
    if (event.kind === 'substitution-ended') this.events.push(`substitute ${event.storePath.name}`);
    if (event.kind === 'substitution-failed') this.events.push(`no substitute ${event.storePath.name}`);
  }
}

const noFetcher: Fetcher = {
  fetch: async () => {
    throw new FetchError('unsupported', 'nothing is fetched here');
  },
  [Symbol.asyncDispose]: async () => undefined,
};

/** A cache with the paths of a world, each with the references that are given. */
function cache(
  world: World,
  paths: ReadonlyMap<StorePath, readonly StorePath[]>,
  isBroken = false,
): Substituter {
  const byHash = new Map([...paths.keys()].map((it) => [it.hashPart, it]));
  return {
    name: 'cache',
    priority: async () => 1,
    wantsMassQuery: async () => true,
    narInfo: async (hashPart) => {
      const storePath = byHash.get(hashPart);
      if (storePath === undefined) return undefined;
      const references = paths.get(storePath) ?? [];
      return { storePath, references } as unknown as Awaited<ReturnType<Substituter['narInfo']>>;
    },
    get: async (hashPart) => {
      const storePath = byHash.get(hashPart);
      if (storePath === undefined || isBroken) return undefined;
      const pathInfos = memoryPathInfos();
      const pathInfo = await world.put(storePath, 'from the cache', { ...world.store, pathInfos });
      return { ...pathInfo, references: paths.get(storePath) ?? [] };
    },
    has: async (hashPart) => byHash.has(hashPart),
    put: async (pathInfo) => pathInfo,
    list: async function* () {},
    [Symbol.asyncDispose]: async () => undefined,
  };
}

test('what is needed is built first, and once for all who need it', async () => {
  const world = new World();
  world.describe('base');
  world.describe('left', { needs: ['base'] });
  world.describe('right', { needs: ['base'] });
  const top = world.describe('top', { needs: ['left', 'right'] });
  const realiser = world.realiser();
  const [once, twice] = await Promise.all([realiser.outputs(top), realiser.outputs(top)]);
  expect(await world.contents(once.get('out') as PathInfo)).toBe('top out left right');
  expect(twice.get('out')).toEqual(once.get('out'));
  expect(world.builds).toBe(4);
  expect(world.events.indexOf('end base.drv')).toBeLessThan(world.events.indexOf('start left.drv'));
  expect(world.mostAtOnce).toBe(2);
});

test('a path is built by the derivation that was described for it; without one it is unknown', async () => {
  const world = new World();
  world.describe('tool', { outputs: ['dev', 'out'] });
  const realiser = world.realiser();
  expect((await realiser.path(world.outPath('tool', 'dev'))).storePath.baseName).toMatch(/-tool$/);
  await expect(realiser.path(world.outPath('other'))).rejects.toThrow(
    `path '${directory.print(world.outPath('other'))}' is required, but there is no substituter that can build it`,
  );
  await expect(realiser.output({ derivation: world.drvPath('tool'), output: 'doc' })).rejects.toThrow(
    "does not have wanted outputs 'doc'",
  );
});

test('texts are added with what they mention, which is made as well', async () => {
  const world = new World();
  world.describe('program');
  const inner = world.describeText('inner');
  const outer = world.describeText('outer', [inner, world.outPath('program')]);
  const pathInfo = await world.realiser().path(outer);
  expect(await world.contents(pathInfo)).toBe('the text outer');
  expect(pathInfo.references).toEqual([inner, world.outPath('program')]);
  expect(await world.store.pathInfos.has(inner.hashPart)).toBe(true);
  expect(world.builds).toBe(1);
});

test('no more builds run at once than are allowed, and all that are allowed do', async () => {
  const world = new World();
  const names = Array.from({ length: 12 }, (_, index) => `build-${index}`);
  for (const name of names) world.describe(name);
  const top = world.describe('all', { needs: names });
  await world.realiser({ limits: { builds: 5, substitutions: 1, downloads: 1 } }).outputs(top);
  expect(world.mostAtOnce).toBe(5);
});

test('a failure says what it was for, stays, and takes nothing else with it', async () => {
  const world = new World();
  world.failing.add('broken');
  for (const name of ['broken', 'fine']) world.describe(name);
  const middle = world.describe('middle', { needs: ['broken', 'fine'] });
  const top = world.describe('top', { needs: ['middle'] });
  const realiser = world.realiser({ keepGoing: true });
  await expect(realiser.outputs(middle)).rejects.toThrow(
    `Cannot build '${directory.print(middle)}'.\nReason: 1 dependency failed.\nOutput paths:\n  ${directory.print(world.outPath('middle'))}`,
  );
  await expect(realiser.outputs(top)).rejects.toMatchObject({
    code: 'failed-dependency',
    cause: { code: 'failed-dependency', cause: { message: 'broken is broken' } },
  });
  expect(world.builds).toBe(2);
  expect(await world.store.pathInfos.has(world.outPath('fine').hashPart)).toBe(true);
});

test('who needs several things that fail hears of all, where work goes on', async () => {
  const world = new World();
  for (const name of ['one', 'two']) {
    world.describe(name);
    world.failing.add(name);
  }
  const top = world.describe('top', { needs: ['one', 'two'] });
  await expect(world.realiser({ keepGoing: true }).outputs(top)).rejects.toMatchObject({
    code: 'failed-dependency',
    message: expect.stringContaining('Reason: 2 dependencies failed.'),
    failures: [{ message: 'one is broken' }, { message: 'two is broken' }],
  });
});

test('a cache is asked before anything is built, and what it has refers to comes first', async () => {
  const world = new World();
  world.describe('library');
  const top = world.describe('top', { needs: ['library'] });
  const [library, out] = [world.outPath('library'), world.outPath('top')];
  const substituters = [
    cache(
      world,
      new Map([
        [out, [library, out]],
        [library, []],
      ]),
    ),
  ];
  await world.realiser({ substituters }).outputs(top);
  expect(world.events).toEqual(['substitute library', 'substitute top']);
  expect(world.builds).toBe(0);
});

test('a cache that has not what it promised is an error, or built instead', async () => {
  const world = new World();
  const top = world.describe('top');
  const substituters = [cache(world, new Map([[world.outPath('top'), []]]), true)];
  await expect(world.realiser({ substituters }).outputs(top)).rejects.toThrow("try '--fallback'");
  await world.realiser({ substituters, fallback: true }).outputs(top);
  expect(world.builds).toBe(1);
  expect(world.events).toContain('no substitute top');
});

test('two who share a store and its locks do the work once', async () => {
  const world = new World();
  world.describe('base');
  const top = world.describe('top', { needs: ['base'] });
  const locks = memoryLocks();
  await Promise.all([world.realiser({ locks }).outputs(top), world.realiser({ locks }).outputs(top)]);
  expect(world.builds).toBe(2);
});

test('aborting ends what waits', async () => {
  const world = new World();
  const names = Array.from({ length: 20 }, (_, index) => `build-${index}`);
  for (const name of names) world.describe(name);
  const controller = new AbortController();
  const realiser = world.realiser({ signal: controller.signal });
  const all = Promise.all(names.map((name) => realiser.outputs(world.drvPath(name))));
  setTimeout(() => controller.abort(new Error('enough')), 12);
  await expect(all).rejects.toThrow('enough');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(world.builds).toBeLessThan(10);
});

test('realisers that share build what several want once, and one that leaves does not end it for the others', async () => {
  const world = new World();
  world.describe('base');
  const left = world.describe('left', { needs: ['base'] });
  const right = world.describe('right', { needs: ['base'] });
  const sharing = { builds: new SharedBuilds(), settings: '' };
  const leaving = new AbortController();
  const locks = memoryLocks();
  const first = world.realiser({ sharing, locks, signal: leaving.signal });
  const second = world.realiser({
    sharing,
    locks,
    onEvent: ({ kind }) => {
      world.events.push(`second ${kind}`);
      if (kind === 'build-started') queueMicrotask(() => leaving.abort(new Error('gone')));
    },
  });
  const [one, two] = [first.outputs(left), second.outputs(right)];
  await expect(one).rejects.toThrow();
  expect([...(await two).keys()]).toEqual(['out']);
  expect(world.builds).toBe(2);
  const begun = world.events.filter((it) => it !== 'second build-planned');
  expect(begun.slice(0, 2)).toEqual(['start base.drv', 'second build-started']);
  await first.ended();
});

test('realisers that build in different ways share nothing', async () => {
  const world = new World();
  const base = world.describe('base');
  const builds = new SharedBuilds();
  const realisers = ['a', 'b'].map((settings) => world.realiser({ sharing: { builds, settings } }));
  await Promise.all(realisers.map((it) => it.outputs(base)));
  expect(world.builds).toBe(2);
});

test('what is planned is said with what it waits for, and ends in one way', async () => {
  const world = new World();
  for (const name of ['bad', 'good']) world.describe(name);
  world.describe('blocked', { needs: ['bad'] });
  const top = world.describe('top', { needs: ['blocked', 'good'] });
  world.failing.add('bad');
  const events: string[] = [];
  const onEvent = (event: RealiseEvent): void => {
    if (!('derivation' in event) || event.derivation === undefined) return;
    const inputs = event.kind === 'build-planned' ? ` ${event.inputs.map((it) => it.name).join(' ')}` : '';
    const how = event.kind === 'build-ended' && event.error !== undefined ? ' badly' : '';
    events.push(`${event.derivation.name} ${event.kind}${inputs}${how}`.trimEnd());
  };
  await expect(world.realiser({ keepGoing: true, onEvent }).outputs(top)).rejects.toThrow();
  expect(events.toSorted()).toEqual([
    'bad.drv build-ended badly',
    'bad.drv build-planned',
    'bad.drv build-started',
    'blocked.drv build-planned bad.drv',
    'blocked.drv build-refused',
    'good.drv build-ended',
    'good.drv build-planned',
    'good.drv build-started',
    'top.drv build-planned blocked.drv good.drv',
    'top.drv build-refused',
  ]);
  expect(events.slice(-1)).toEqual(['top.drv build-refused']);
});

test('a build that others make is not needed', async () => {
  const world = new World();
  const base = world.describe('base');
  const events: string[] = [];
  const onEvent = ({ kind }: RealiseEvent): void => void events.push(kind);
  // Both find it missing, and one waits for the lock of the other.
  const locks = memoryLocks();
  await Promise.all([1, 2].map(() => world.realiser({ locks, onEvent }).outputs(base)));
  expect(events.toSorted()).toEqual([
    'build-ended',
    'build-not-needed',
    'build-planned',
    'build-planned',
    'build-started',
    'waiting-for-lock',
  ]);
});
