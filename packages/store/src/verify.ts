/**
 * Looks at everything in a store and names what is damaged or missing, and which store paths that breaks.
 *
 * Path infos must be readable, have all their references, signatures that are right as far as the keys are known, and a
 * content address that gives their path; what they name must be there; directories and blobs must be what their digests
 * say. With `deep` the NAR of every path is computed again. Nothing is changed: `repair.ts` does that.
 */
import type { B3Digest, DamagedObject, Node } from '@neve/castore';
import { CastoreError } from '@neve/castore';
import { fingerprintPathInfo, verifyFingerprint } from '@neve/nix-compat';
import type { Ed25519, PublicKey, StoreDirectory, StorePath } from '@neve/nix-compat';
import { referencesOf } from './closure.ts';
import { followsFromContentAddress } from './content-address-match.ts';
import type { PathInfo } from './path-info.ts';
import type { NarCalculationService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';
import type { StoreServices } from './store-services.ts';

export type VerifyOptions = {
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly ed25519: Ed25519;
  /** Signatures by keys of these names are checked. */
  readonly keys?: readonly PublicKey[];
  /** Computes the NAR of every path and compares it. */
  readonly deep?: NarCalculationService;
  /** Called once for every path. */
  readonly onPath?: (storePath: StorePath) => void;
};

export type Finding =
  /** A path info that says something that is not so, or cannot be read; `hashPart` is its key. */
  | (FindingBase & { readonly kind: 'path-info'; readonly hashPart: string })
  /** A path that a path info refers to and that has none. */
  | (FindingBase & { readonly kind: 'reference'; readonly hashPart: string })
  | (FindingBase & {
      readonly kind: 'directory' | 'blob';
      readonly digest: B3Digest;
      readonly size?: number;
    });

type FindingBase = {
  /** What is wrong, in words that name the object. */
  readonly problem: string;
  /** The paths that it breaks; none when nothing refers to the object. */
  readonly storePaths: readonly StorePath[];
};

export type VerifyResult = { readonly findings: readonly Finding[]; readonly checkedPaths: number };

/** Damage is in the result; throws only what keeps it from looking. It is no use of what it looks at. */
export async function verifyStore(options: VerifyOptions, signal?: AbortSignal): Promise<VerifyResult> {
  const { store } = options;
  const damaged = await readDamage(store, signal);
  const pathInfos = new Map<string, PathInfo>();
  const findings: Finding[] = [];
  for await (const it of readAll(store, signal)) {
    if (it.pathInfo !== undefined) pathInfos.set(it.hashPart, it.pathInfo);
    else findings.push({ kind: 'path-info', hashPart: it.hashPart, problem: it.problem, storePaths: [] });
  }
  const verification = new Verification(options, pathInfos, damaged);
  await verification.readPresentBlobs(signal);
  for (const pathInfo of pathInfos.values()) {
    signal?.throwIfAborted();
    findings.push(...(await verification.check(pathInfo, signal)));
    options.onPath?.(pathInfo.storePath);
  }
  return { findings: [...findings, ...verification.objectFindings()], checkedPaths: pathInfos.size };
}

/** An object, and the paths that need it. */
type Broken = {
  readonly kind: 'directory' | 'blob';
  readonly digest: B3Digest;
  readonly problem: string;
  readonly size?: number;
  readonly storePaths: Map<string, StorePath>;
};

class Verification {
  readonly #options: VerifyOptions;
  readonly #pathInfos: ReadonlyMap<string, PathInfo>;
  /** Damaged and missing objects by kind and key. */
  readonly #broken: Map<string, Broken>;
  /** Blobs that are there. */
  readonly #present = new Set<string>();

  constructor(options: VerifyOptions, pathInfos: ReadonlyMap<string, PathInfo>, broken: Map<string, Broken>) {
    this.#options = options;
    this.#pathInfos = pathInfos;
    this.#broken = broken;
  }

  /** Listing is not using, as asking for each of them would be. */
  async readPresentBlobs(signal?: AbortSignal): Promise<void> {
    for await (const { digest } of this.#options.store.blobs.inventory?.list(signal) ?? []) {
      this.#present.add(digest.key);
    }
  }

  /** What is wrong with the path info itself; broken objects are remembered. */
  async check(pathInfo: PathInfo, signal?: AbortSignal): Promise<readonly Finding[]> {
    const { storePath, node } = pathInfo;
    const problems = [...this.#checkSignatures(pathInfo), ...this.#checkContentAddress(pathInfo)];
    const isWhole = await this.#checkNode(node, storePath, signal);
    if (isWhole) problems.push(...(await this.#checkNar(pathInfo, signal)));
    const own = problems.map((problem): Finding => ({
      kind: 'path-info',
      hashPart: storePath.hashPart,
      problem: `${storePath.baseName}: ${problem}`,
      storePaths: [storePath],
    }));
    return [...own, ...this.#checkReferences(pathInfo)];
  }

  objectFindings(): readonly Finding[] {
    return Array.from(this.#broken.values(), ({ storePaths, ...it }) => ({
      ...it,
      storePaths: [...storePaths.values()],
    }));
  }

  #checkReferences(pathInfo: PathInfo): readonly Finding[] {
    return referencesOf(pathInfo)
      .filter((hashPart) => !this.#pathInfos.has(hashPart))
      .map((hashPart) => ({
        kind: 'reference',
        hashPart,
        problem: `${nameOf(hashPart, pathInfo)}, to which ${pathInfo.storePath.baseName} refers, is not there`,
        storePaths: [pathInfo.storePath],
      }));
  }

  #checkSignatures(pathInfo: PathInfo): readonly string[] {
    const { storeDirectory, ed25519, keys = [] } = this.#options;
    if (pathInfo.narSize === 0) return ['its NAR has no size'];
    const fingerprint = fingerprintPathInfo(storeDirectory, pathInfo);
    return pathInfo.signatures
      .filter(({ keyName }) => keys.some(({ name }) => name === keyName))
      .filter((signature) => !verifyFingerprint(fingerprint, { signature, keys }, ed25519))
      .map(({ keyName }) => `its signature by '${keyName}' is wrong`);
  }

  #checkContentAddress(pathInfo: PathInfo): readonly string[] {
    if (pathInfo.contentAddress === undefined) return [];
    return followsFromContentAddress(pathInfo, this.#options.storeDirectory)
      ? []
      : ['its path does not follow from its content address'];
  }

  async #checkNar({ node, narSize, narHash }: PathInfo, signal?: AbortSignal): Promise<readonly string[]> {
    const { deep } = this.#options;
    if (deep === undefined) return [];
    const actual = await deep.calculateNar(node, signal);
    if (actual.narSize !== narSize) return [`its NAR has ${actual.narSize} bytes, not ${narSize}`];
    return actual.narHash.equals(narHash)
      ? []
      : [`its NAR hash is ${actual.narHash.format('sri')}, not ${narHash.format('sri')}`];
  }

  /** Whether everything that the node is made of is there and not damaged. */
  async #checkNode(node: Node, storePath: StorePath, signal?: AbortSignal): Promise<boolean> {
    if (node.kind === 'symlink') return true;
    if (node.kind === 'file') return this.#checkBlob(node, storePath, signal);
    let isWhole = true;
    const seen = new Set<string>();
    const pending: B3Digest[] = [node.digest];
    for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
      if (seen.has(digest.key)) continue;
      seen.add(digest.key);
      const directory = await this.#readDirectory(digest, signal);
      if (directory === undefined) {
        isWhole = false;
        this.#break(
          {
            kind: 'directory',
            digest,
            problem: `the directory ${digest.toString()} is not there`,
          },
          storePath,
        );
        continue;
      }
      isWhole = !this.#breakKnown('directory', { digest, storePath }) && isWhole;
      for (const { node: child } of directory.entries) {
        if (child.kind === 'directory') pending.push(child.digest);
        else if (child.kind === 'file')
          isWhole = (await this.#checkBlob(child, storePath, signal)) && isWhole;
      }
    }
    return isWhole;
  }

  /** `undefined` when it is not there or cannot be read. */
  async #readDirectory(digest: B3Digest, signal?: AbortSignal) {
    try {
      return await this.#options.store.directories.get(digest, signal);
    } catch (error) {
      if (error instanceof CastoreError && error.code !== 'io') return undefined;
      throw error;
    }
  }

  async #checkBlob(
    { digest, size }: { readonly digest: B3Digest; readonly size: number },
    storePath: StorePath,
    signal?: AbortSignal,
  ): Promise<boolean> {
    if (this.#breakKnown('blob', { digest, storePath })) return false;
    if (this.#present.has(digest.key)) return true;
    if (size === 0 || (await this.#options.store.blobs.has(digest, signal))) {
      this.#present.add(digest.key);
      return true;
    }
    this.#break(
      { kind: 'blob', digest, size, problem: `the blob ${digest.toString()} is not there` },
      storePath,
    );
    return false;
  }

  #breakKnown(
    kind: Broken['kind'],
    { digest, storePath }: { readonly digest: B3Digest; readonly storePath: StorePath },
  ): boolean {
    const broken = this.#broken.get(`${kind} ${digest.key}`);
    broken?.storePaths.set(storePath.hashPart, storePath);
    return broken !== undefined;
  }

  #break(object: Omit<Broken, 'storePaths'>, storePath: StorePath): void {
    const key = `${object.kind} ${object.digest.key}`;
    const broken = this.#broken.get(key) ?? { ...object, storePaths: new Map() };
    broken.storePaths.set(storePath.hashPart, storePath);
    this.#broken.set(key, broken);
  }
}

async function readDamage(store: StoreServices, signal?: AbortSignal): Promise<Map<string, Broken>> {
  const broken = new Map<string, Broken>();
  const add = (kind: Broken['kind'], { digest, what, problem }: DamagedObject): void => {
    const it = {
      kind,
      digest,
      problem: `${what} ${digest.toString()}: ${problem}`,
      storePaths: new Map(),
    };
    broken.set(`${kind} ${digest.key}`, it);
  };
  for await (const it of store.directories.inventory?.verify(signal) ?? []) add('directory', it);
  for await (const it of store.blobs.inventory?.verify(signal) ?? []) add('blob', it);
  return broken;
}

type ReadPathInfo = { readonly hashPart: string; readonly pathInfo?: PathInfo; readonly problem: string };

async function* readAll(
  { pathInfos }: StoreServices,
  signal?: AbortSignal,
): AsyncGenerator<ReadPathInfo, void, void> {
  if (pathInfos.inventory === undefined) {
    for await (const pathInfo of pathInfos.list(signal)) {
      yield { hashPart: pathInfo.storePath.hashPart, pathInfo, problem: '' };
    }
    return;
  }
  for await (const { hashPart, read } of pathInfos.inventory.list(signal)) {
    try {
      yield { hashPart, pathInfo: read(), problem: '' };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      yield { hashPart, problem: error.message };
    }
  }
}

function nameOf(hashPart: string, { references }: PathInfo): string {
  return references.find((it) => it.hashPart === hashPart)?.baseName ?? hashPart;
}
