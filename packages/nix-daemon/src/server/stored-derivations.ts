/**
 * Derivations that are texts in the store: read, checked before they are added, and asked for their outputs.
 *
 * Whoever may add a derivation may have it built, so that the paths of its outputs must be those that follow from it:
 * otherwise it could take the place of somebody else's output.
 */
import {
  type Derivation,
  DerivationHashes,
  type StorePath,
  derivationName,
  outputPathName,
  parseDerivation,
} from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { readAll } from './read-all.ts';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices } from './daemon-services.ts';
import { requirePathInfo } from './valid-paths.ts';

type Context = Pick<DaemonServices, 'store' | 'storeDirectory' | 'hashes' | 'realisations'>;

export class StoredDerivations {
  readonly hashes: DerivationHashes;
  readonly #context: Context;
  readonly #impureOutputs = new Map<string, ReadonlyMap<string, StorePath>>();

  constructor(context: Context) {
    this.#context = context;
    this.hashes = new DerivationHashes({
      store: context.storeDirectory,
      hashes: context.hashes,
      lookUp: (path) => this.read(path),
    });
  }

  /** Throws `NixDaemonError` (`invalid-path`) and `NixCompatError` for what is no derivation. */
  async read(drvPath: StorePath, signal?: AbortSignal): Promise<Derivation> {
    const pathInfo = await requirePathInfo(drvPath, this.#context, signal);
    return await this.readFrom(pathInfo, signal);
  }

  async readFrom({ storePath, node }: PathInfo, signal?: AbortSignal): Promise<Derivation> {
    const { store, storeDirectory } = this.#context;
    if (!storePath.isDerivation || node.kind !== 'file') {
      const printed = storeDirectory.print(storePath);
      throw new NixDaemonError('invalid-request', `'${printed}' is not a derivation`);
    }
    return this.parse(storePath, await readAll(node, store.blobs, signal));
  }

  /** The derivation whose text this is. Throws `NixCompatError` for what is none. */
  parse(drvPath: StorePath, contents: Uint8Array): Derivation {
    return parseDerivation(contents, { name: derivationName(drvPath), store: this.#context.storeDirectory });
  }

  /** Throws `NixCompatError` (`bad-derivation`) unless its outputs have the paths that follow from it. */
  async check(derivation: Derivation): Promise<void> {
    await this.hashes.checkOutputPaths(derivation);
  }

  /** By output: the path, or nothing where it follows from contents that nobody has made. */
  async outputPaths(
    drvPath: StorePath,
    derivation: Derivation,
  ): Promise<ReadonlyMap<string, StorePath | undefined>> {
    const paths = new Map<string, StorePath | undefined>();
    for (const [name, output] of derivation.outputs) {
      const path =
        output.kind === 'impure'
          ? this.#impureOutputs.get(drvPath.hashPart)?.get(name)
          : 'path' in output
            ? output.path
            : await this.#built(derivation, name);
      paths.set(name, path);
    }
    return paths;
  }

  /** What an impure derivation has made last, which is remembered nowhere else. */
  rememberImpure(drvPath: StorePath, outputs: ReadonlyMap<string, StorePath>): void {
    this.#impureOutputs.set(drvPath.hashPart, outputs);
  }

  /** Derivations in the store that have the path as an output. */
  async derivers(storePath: StorePath, signal?: AbortSignal): Promise<readonly StorePath[]> {
    const found: StorePath[] = [];
    for await (const candidate of this.#list(signal)) {
      if (!mayMake(candidate.storePath, storePath)) continue;
      const { outputs } = await this.readFrom(candidate, signal);
      const isOutput = [...outputs.values()].some(
        (it) => 'path' in it && it.path.baseName === storePath.baseName,
      );
      if (isOutput) found.push(candidate.storePath);
    }
    return found;
  }

  async *#list(signal?: AbortSignal): AsyncGenerator<PathInfo, void, void> {
    const { pathInfos } = this.#context.store;
    for await (const it of pathInfos.list(signal)) if (it.storePath.isDerivation) yield it;
  }

  async #built(derivation: Derivation, output: string): Promise<StorePath | undefined> {
    const derivationHash = (await this.hashes.hashOfOutputs(derivation)).byOutput.get(output);
    if (derivationHash === undefined) return undefined;
    const realisation = await this.#context.realisations.get({ derivationHash, output });
    return realisation?.path;
  }
}

/** By its name, which an output has from its derivation. */
function mayMake(drvPath: StorePath, output: StorePath): boolean {
  const name = derivationName(drvPath);
  return output.name === outputPathName(name, 'out') || output.name.startsWith(`${name}-`);
}
