/**
 * A daemon over stores in memory, for tests. Its builder knows no sandbox: a derivation whose builder is `write` makes each
 * output a file with the text of its variable `text` and the name of the output, `fail` fails, and `wait` builds nothing until
 * it is given up.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { FetchError, type Fetcher } from '@neve/fetch';
import { type PublicKey, StoreDirectory, type StorePath } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import {
  type BuildJob,
  type BuildJobOptions,
  type DerivationBuilder,
  type ReadyDerivation,
  RealiseError,
  memoryLocks,
  memoryRealisations,
} from '@neve/realise';
import { type PathInfo, type StoreServices, memoryPathInfos, narCalculationByRendering } from '@neve/store';
import type { DaemonServices, NamedRoot } from '../server/daemon-services.ts';
import { type DaemonState, daemonState } from '../server/daemon-state.ts';

export type MemoryDaemon = DaemonState & {
  /** By the derivation's base name. */
  readonly logsAdded: ReadonlyMap<string, string>;
  /** Links by path. */
  readonly links: Map<string, StorePath>;
  /** How many builds were begun. */
  readonly buildsBegun: () => number;
};

export type MemoryDaemonOptions = {
  readonly publicKeys?: readonly PublicKey[];
  readonly requireSignatures?: boolean;
};

export function memoryDaemon({
  publicKeys = [],
  requireSignatures = true,
}: MemoryDaemonOptions = {}): MemoryDaemon {
  const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
  const store = { blobs: memoryBlobs(), directories: memoryDirectories(), pathInfos: memoryPathInfos() };
  const links = new Map<string, StorePath>();
  const logsAdded = new Map<string, string>();
  const builder = new WritingBuilder(store);
  const services: DaemonServices = {
    ...{ store, storeDirectory, hashes: nodeHashes, ed25519: nodeEd25519 },
    narCalculation: narCalculationByRendering({ ...store, hashes: nodeHashes }),
    realisations: memoryRealisations(),
    locks: memoryLocks(),
    fetcher: noFetcher,
    logs: {
      start: async ({ baseName }) => {
        let log = '';
        return {
          write: (bytes) => (log += decodeUtf8(bytes)),
          end: async () => void logsAdded.set(baseName, log),
        };
      },
    },
    trust: { requireSignatures, publicKeys },
    roots: {
      addIndirect: async (link) => void links.set(link, rootTarget(link)),
      addPermanent: async (storePath, link) => void links.set(link, storePath),
      list: async () => Array.from(links, ([link, storePath]): NamedRoot => ({ link, storePath })),
      others: async () => [],
    },
    leases: {
      acquire: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
      oldestOfOthersMs: async () => undefined,
    },
    substituters: () => [],
    builderFor: (_, target) => builder.into(target),
    limits: { builds: 4, substitutions: 4, downloads: 4 },
    trustedSubstituters: [],
    version: 'test',
  };
  return { ...daemonState(services), links, logsAdded, buildsBegun: () => builder.begun };
}

/** A link that nobody made leads to a path that is not there. */
function rootTarget(_link: string): StorePath {
  return new StoreDirectory('/nix/store', nodeHashes).parse(
    '/nix/store/00000000000000000000000000000000-nothing',
  );
}

const noFetcher: Fetcher = {
  fetch: async () => {
    throw new FetchError('unsupported', 'nothing is fetched in tests');
  },
  [Symbol.asyncDispose]: async () => undefined,
};

class WritingBuilder implements DerivationBuilder {
  begun = 0;
  readonly #store: StoreServices;

  constructor(store: StoreServices) {
    this.#store = store;
  }

  /** The same, counted together with this one, for a view of the store. */
  into(store: StoreServices): DerivationBuilder {
    const other = new WritingBuilder(store);
    return {
      allowsSubstitutes: () => other.allowsSubstitutes(),
      fetchOf: () => undefined,
      prepare: async (derivation) => {
        const job = await other.prepare(derivation);
        return {
          ...job,
          build: (options) => {
            this.begun++;
            return job.build(options);
          },
        };
      },
    };
  }

  allowsSubstitutes(): boolean {
    return true;
  }

  fetchOf(): undefined {
    return undefined;
  }

  async prepare({ drvPath, derivation }: Pick<ReadyDerivation, 'drvPath' | 'derivation'>): Promise<BuildJob> {
    const paths = [...derivation.outputs].flatMap(([name, it]) =>
      'path' in it ? [[name, it.path] as const] : [],
    );
    return {
      lockedPaths: paths.map(([, path]) => path),
      present: async () => {
        const found = await Promise.all(
          paths.map(async ([name, path]) => [name, await this.#store.pathInfos.get(path.hashPart)] as const),
        );
        const there = found.flatMap(([name, it]) => (it === undefined ? [] : [[name, it] as const]));
        return there.length === paths.length ? new Map(there) : undefined;
      },
      build: (options) => this.#build({ drvPath, derivation }, paths, options),
    };
  }

  // oxlint-disable-next-line eslint/max-params -- what, where, and how
  async #build(
    { drvPath, derivation }: Pick<ReadyDerivation, 'drvPath' | 'derivation'>,
    paths: readonly (readonly [string, StorePath])[],
    { onLog, signal }: BuildJobOptions,
  ): Promise<ReadonlyMap<string, PathInfo>> {
    this.begun++;
    const how = decodeUtf8(derivation.builder);
    onLog(encodeUtf8(`${how} ${derivation.name}\n`));
    if (how === 'fail') throw new RealiseError('failed', `Cannot build '${derivation.name}'.`);
    if (how === 'wait')
      await new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    const text = decodeUtf8(derivation.environment.get('text') ?? new Uint8Array());
    const made = await Promise.all(
      paths.map(async ([name, path]) => [name, await this.#put(path, drvPath, `${text} ${name}`)] as const),
    );
    return new Map(made);
  }

  // oxlint-disable-next-line eslint/max-params -- what, of what, and its contents
  async #put(storePath: StorePath, deriver: StorePath, text: string): Promise<PathInfo> {
    const bytes = encodeUtf8(text);
    const digest = await this.#store.blobs.put(bytes);
    const node = { kind: 'file', digest, size: bytes.length, executable: false } as const;
    const nar = await narCalculationByRendering({ ...this.#store, hashes: nodeHashes }).calculateNar(node);
    const rest = { references: [], signatures: [], deriver, contentAddress: undefined };
    return await this.#store.pathInfos.put({ storePath, node, ...nar, ...rest });
  }
}
