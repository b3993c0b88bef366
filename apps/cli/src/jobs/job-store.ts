/** What is done in the store about each job: its derivation is written and read again, and becomes a root if there are to be. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { EvalIO } from '@neve/eval';
import {
  type Derivation,
  StoreDirectory,
  type StorePath,
  derivationName,
  derivationType,
  parseDerivation,
  readDerivationOptions,
  requiredSystemFeatures,
} from '@neve/nix-compat';
import type { BuildGoal, JobSession } from '../realise/realise-session.ts';
import type { PackageInfo } from './package-info.ts';
import type { CacheStatus, StoredJob } from './job-line.ts';

export type JobStoreOptions = {
  readonly io: EvalIO;
  /** The store has heard of all that was evaluated when it is fulfilled. */
  readonly load: () => Promise<void>;
  /** Has a plain directory hold what another evaluation has described. */
  readonly writeDescribed: (drvPaths: readonly string[]) => void;
  /** The store that is realised in; a plain directory, which has none, knows of no caches. */
  readonly session: (() => Promise<JobSession>) | undefined;
  readonly storeDir: string;
  readonly showInputDrvs: boolean;
  readonly checkCacheStatus: boolean;
  /** Absolute. */
  readonly gcRootsDir: string | undefined;
};

export class JobStore {
  readonly #options: JobStoreOptions;
  readonly directory: StoreDirectory;

  constructor(options: JobStoreOptions) {
    this.#options = options;
    this.directory = new StoreDirectory(options.storeDir, nodeHashes);
  }

  /** Writes derivations that were evaluated, as far as they are not there. */
  async write(drvPaths: readonly string[]): Promise<void> {
    await this.#options.load();
    this.#options.writeDescribed(drvPaths);
    await (await this.#options.session?.())?.add(drvPaths);
  }

  /** Throws what the store throws. */
  async add({ drvPath, outputs }: Pick<PackageInfo, 'drvPath' | 'outputs'>): Promise<StoredJob> {
    const { showInputDrvs, checkCacheStatus } = this.#options;
    const derivation = await this.readDerivation(this.directory.parse(drvPath));
    const options = readDerivationOptions(derivation, this.directory);
    await this.addRoot(drvPath);
    return {
      system: decodeUtf8(derivation.system),
      requiredSystemFeatures: requiredSystemFeatures(options, derivationType(derivation)),
      inputDrvs: showInputDrvs ? this.#inputs(derivation) : undefined,
      cache: checkCacheStatus ? await this.#cacheStatus({ drvPath, outputs }, derivation) : undefined,
    };
  }

  /** Throws what the store throws. */
  async readDerivation(path: StorePath): Promise<Derivation> {
    const contents = await this.#options.io.readFile(encodeUtf8(this.directory.print(path)));
    return parseDerivation(contents, { name: derivationName(path), store: this.directory });
  }

  /** Throws what the store throws. */
  async writeDerivation(path: StorePath, contents: Uint8Array): Promise<void> {
    const storePath = this.directory.print(path);
    await this.#options.io.writeDerivation({ name: path.name, contents, storePath });
    await this.write([storePath]);
    await this.addRoot(storePath);
  }

  #inputs({ inputDerivations }: Derivation): Record<string, readonly string[]> {
    return Object.fromEntries(
      inputDerivations.map(({ path, outputs }) => [this.directory.print(path), outputs]),
    );
  }

  /** The results must be there or to be had, and so must everything that a build would need. */
  async #cacheStatus(
    { drvPath: own, outputs }: Pick<PackageInfo, 'drvPath' | 'outputs'>,
    derivation: Derivation,
  ): Promise<CacheStatus> {
    const session = await this.#options.session?.();
    if (session === undefined) throw new Error('a plain store directory knows of no caches');
    const results = Object.values(outputs).flatMap((storePath): BuildGoal[] =>
      storePath === null ? [] : [{ kind: 'path', storePath }],
    );
    const inputs = Object.entries(this.#inputs(derivation)).map(([drvPath, names]): BuildGoal => ({
      kind: 'outputs',
      drvPath,
      outputs: names,
    }));
    const { builds, substitutes, unknown } = await session.missing([...results, ...inputs]);
    const missing = builds.length + unknown.length > 0 ? 'notBuilt' : 'cached';
    return {
      cacheStatus: builds.length + unknown.length + substitutes.length === 0 ? 'local' : missing,
      // What is needed before it can be built itself.
      neededBuilds: builds.filter((it) => it !== own),
      neededSubstitutes: [...substitutes].sort(byName),
    };
  }

  /** A link, if links are wanted. Throws what the store throws. */
  async addRoot(drvPath: string): Promise<void> {
    const { gcRootsDir, session } = this.#options;
    if (gcRootsDir === undefined) return;
    const link = join(gcRootsDir, basename(drvPath));
    mkdirSync(gcRootsDir, { recursive: true });
    if (existsSync(link)) return;
    if (session === undefined) symlinkSync(drvPath, link);
    else await (await session()).link(drvPath, link);
  }
}

/** By the name behind the hash first. */
function byName(left: string, right: string): number {
  const [a, b] = [keyOf(left), keyOf(right)];
  return a < b ? -1 : Number(a > b);
}

function keyOf(storePath: string): string {
  const name = basename(storePath);
  return `${name.slice(33)} ${name}`;
}
