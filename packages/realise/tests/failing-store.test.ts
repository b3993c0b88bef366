// A store of which one call in ten fails. Whatever is registered must be right all the time, with everything that it refers
// to; and whoever tries again and again gets everything.
import { expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { BuildService } from '@neve/build';
import { CastoreError } from '@neve/castore';
import { FetchError } from '@neve/fetch';
import { type Derivation, type StorePath, parseStorePath } from '@neve/nix-compat';
import { KnownPaths, Realiser, SandboxedBuilder, memoryLocks, memoryRealisations } from '@neve/realise';
import { type StoreServices, narCalculationByRendering } from '@neve/store';
import { buildByHand, settings, store as storeDirectory, testStore } from './hand-build.ts';

const oneIn = 10;
const names = Array.from({ length: 12 }, (_, index) => `package-${index}`);

/** Fails before or after the call did its work, as a network does. */
function failing<T extends object>(service: T, random: () => number): T {
  return new Proxy(service, {
    get(target, property): unknown {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function' || typeof property === 'symbol') return member;
      return (...args: unknown[]): unknown => {
        const number = random();
        const result = (): unknown => Reflect.apply(member, target, args) as unknown;
        if (number % oneIn !== 0) return result();
        const failure = new CastoreError('io', 'the store does not answer');
        if (number % (2 * oneIn) === 0) throw failure;
        return Promise.resolve(result()).then(() => {
          throw failure;
        });
      };
    },
  });
}

class World {
  readonly sound: ReturnType<typeof testStore> = testStore();
  readonly unsound: StoreServices;
  readonly #derivations = new Map<string, Derivation>();
  #state = 1;

  constructor() {
    // Park and Miller's generator, so that each run is the same.
    const random = (): number => (this.#state = (this.#state * 48_271) % 2_147_483_647);
    this.unsound = {
      blobs: failing(this.sound.blobs, random),
      directories: failing(this.sound.directories, random),
      pathInfos: failing(this.sound.pathInfos, random),
    };
    for (const [index, name] of names.entries())
      this.#describe(name, names.slice(Math.max(0, index - 3), index));
  }

  drvPath(name: string): StorePath {
    return storeDirectory.makePath('text', nodeHashes.hash('sha256', encodeUtf8(name)), `${name}.drv`);
  }

  outPath(name: string): StorePath {
    return storeDirectory.makePath('output:out', nodeHashes.hash('sha256', encodeUtf8(name)), name);
  }

  contentsOf(name: string): string {
    const index = names.indexOf(name);
    const needs = names
      .slice(Math.max(0, index - 3), index)
      .map((it) => storeDirectory.print(this.outPath(it)));
    return [name, ...needs].join('\n');
  }

  /** One attempt, as a command would make it. */
  async attempt(): Promise<void> {
    const known = new KnownPaths((_, { hashPart }) => this.#derivations.get(hashPart) as Derivation);
    for (const name of names)
      known.describeDerivation({ storePath: this.drvPath(name), contents: encodeUtf8(name) });
    const service: BuildService = {
      build: async (request) => {
        const name = parseStorePath(request.outputs[0]?.replace(/^.*\//, '') ?? '').name;
        return await buildByHand(request, [this.contentsOf(name)], this.unsound);
      },
      systems: async () => ['x86_64-linux'],
      [Symbol.asyncDispose]: async () => undefined,
    };
    const readDerivation = async ({ hashPart }: StorePath): Promise<Derivation> =>
      this.#derivations.get(hashPart) as Derivation;
    const fetcher = {
      fetch: async (): Promise<never> => {
        throw new FetchError('unsupported', 'nothing is fetched here');
      },
      [Symbol.asyncDispose]: async (): Promise<void> => undefined,
    };
    const common = { store: this.unsound, storeDirectory, hashes: nodeHashes, fetcher };
    const builder = new SandboxedBuilder({
      ...common,
      service,
      settings,
      realisations: memoryRealisations(),
      logLines: 5,
      logCommand: 'neve log',
      readDerivation,
      unpack: async () => {
        throw new FetchError('unsupported', 'nothing is unpacked here');
      },
    });
    const realiser = new Realiser({
      ...common,
      known,
      substituters: [],
      readDerivation: async ({ storePath }) => await readDerivation(storePath),
      narCalculation: narCalculationByRendering({ ...this.unsound, hashes: nodeHashes }),
      builder,
      locks: memoryLocks(),
      limits: { builds: 3, substitutions: 1, downloads: 1 },
      fallback: false,
      keepGoing: true,
    });
    await realiser.outputs(this.drvPath(names.at(-1) as string));
  }

  /** How many paths are there; throws unless all of them are right. */
  async check(): Promise<number> {
    let count = 0;
    for await (const { storePath, node, references, narHash } of this.sound.pathInfos.list()) {
      count++;
      if (node.kind !== 'file') throw new Error(`${storePath.name} is no file`);
      await using reader = await this.sound.blobs.open(node.digest);
      const text = new TextDecoder().decode(await reader?.read(0, node.size));
      expect(text).toBe(this.contentsOf(storePath.name));
      const nar = await narCalculationByRendering({ ...this.sound, hashes: nodeHashes }).calculateNar(node);
      expect(nar.narHash.equals(narHash)).toBe(true);
      const needs = names.filter((it) => text.includes(this.outPath(it).hashPart));
      expect(references.map(({ name }) => name).sort()).toEqual(needs.sort());
      for (const { hashPart } of references) expect(await this.sound.pathInfos.has(hashPart)).toBe(true);
    }
    return count;
  }

  #describe(name: string, needs: readonly string[]): void {
    this.#derivations.set(this.drvPath(name).hashPart, {
      name,
      outputs: new Map([['out', { kind: 'input-addressed', path: this.outPath(name) }]]),
      inputSources: [],
      inputDerivations: needs.map((it) => ({ path: this.drvPath(it), outputs: ['out'] })),
      system: encodeUtf8('x86_64-linux'),
      builder: encodeUtf8('/bin/sh'),
      args: [],
      environment: new Map([['out', encodeUtf8(storeDirectory.print(this.outPath(name)))]]),
    });
  }
}

/** It is the reason, however far below. */
function isStoreFailure(error: unknown): boolean {
  if (error instanceof CastoreError) return error.code === 'io';
  return error instanceof Error && isStoreFailure(error.cause);
}

test('nothing wrong is registered, and trying again gets everything', async () => {
  const world = new World();
  let attempts = 0;
  for (let isDone = false; !isDone; attempts++) {
    expect(attempts).toBeLessThan(5000);
    try {
      await world.attempt();
      isDone = true;
    } catch (error) {
      expect(isStoreFailure(error), String(error)).toBe(true);
    }
    await world.check();
  }
  expect(attempts).toBeGreaterThan(3);
  expect(await world.check()).toBe(names.length);
});
