/**
 * What clients add: contents whose path follows from them, and NARs of paths that they name, with what they say of them.
 *
 * Nothing is put before all of it is known to be true: contents against hashes, content addresses against paths, references
 * against the store, derivations against the paths of their outputs, and who vouches for what is none of these.
 */
import { type Digest, type HashAlgorithm, concatBytes } from '@neve/bytes';
import type { B3Digest, BlobService, BlobWriter, Node } from '@neve/castore';
import {
  type ContentAddress,
  type ContentAddressMethod,
  NixCompatError,
  type PublicKey,
  type StorePath,
  contentAddressedPath,
  storePathSet,
  verifyFingerprint,
  fingerprintPathInfo,
} from '@neve/nix-compat';
import { contentDigest } from '@neve/realise';
import { type NarCalculation, type PathInfo, ingestNar, narCalculationByRendering } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices } from './daemon-services.ts';
import type { StoredDerivations } from './stored-derivations.ts';
import { findPathInfo, invalidPath } from './valid-paths.ts';

export type AddServices = DaemonServices & { readonly derivations: StoredDerivations };

export type AddOptions = { readonly services: AddServices; readonly signal?: AbortSignal | undefined };

export type ContentsToAdd = {
  readonly name: string;
  readonly method: ContentAddressMethod;
  readonly algorithm: HashAlgorithm;
  readonly references: readonly StorePath[];
  /** As a NAR, or the bytes of one file. */
  readonly form: 'nar' | 'file';
};

export type AddNarOptions = AddOptions & {
  readonly checksSignatures: boolean;
  /** Whose signatures count. */
  readonly publicKeys: readonly PublicKey[];
};

/** What a client says of a path that it sends. */
export type StatedPathInfo = Omit<PathInfo, 'node'>;

/** Takes all of the source, and gives what is in the store then. */
export async function addContents(
  source: AsyncIterable<Uint8Array>,
  wanted: ContentsToAdd,
  { services, signal }: AddOptions,
): Promise<PathInfo> {
  const { name, method, algorithm, form } = wanted;
  const { node, ...nar } =
    form === 'nar'
      ? await ingestNar(source, { ...services.store, hashes: services.hashes }, signal)
      : await addFile(source, services, signal);
  if ((method === 'flat' || method === 'text') && (node.kind !== 'file' || node.executable)) {
    throw new NixDaemonError('invalid-request', `cannot add '${name}': it is no plain file`);
  }
  const digest =
    method === 'nar' && algorithm === 'sha256'
      ? nar.narHash
      : await contentDigest(node, { ...services.store, hashes: services.hashes, method, algorithm }, signal);
  const contentAddress: ContentAddress = { method, digest };
  const references = storePathSet(wanted.references);
  const storePath = contentAddressedPath(services.storeDirectory, { name, contentAddress, references });
  const stated = { storePath, references, contentAddress, ...nar, signatures: [], deriver: undefined };
  return await register({ ...stated, node }, services, signal);
}

/**
 * Takes all of the source, which is one NAR, unless the path is there. `checksSignatures`: somebody trusted has to vouch for it,
 * unless its contents do. Throws `NixDaemonError`: `untrusted`, `mismatch`, `invalid-path` for a reference that is not there.
 */
export async function addNar(
  source: AsyncIterable<Uint8Array>,
  stated: StatedPathInfo,
  { services, checksSignatures, publicKeys, signal }: AddNarOptions,
): Promise<PathInfo | undefined> {
  const { store, hashes, storeDirectory } = services;
  if (checksSignatures && isUntrusted(stated, publicKeys, services)) {
    throw new NixDaemonError(
      'untrusted',
      `cannot add path '${storeDirectory.print(stated.storePath)}' because it lacks a signature by a trusted key`,
    );
  }
  if ((await findPathInfo(stated.storePath, services, signal)) !== undefined) return undefined;
  const { node, narHash, narSize } = await ingestNar(source, { ...store, hashes }, signal);
  checkNar(stated, { narHash, narSize }, storeDirectory.print(stated.storePath));
  await checkContentAddress(stated, node, services, signal);
  return await register({ ...stated, node }, services, signal);
}

/** Files up to this size are gathered in memory, which is faster than to begin a large blob. */
const smallFile = 1 << 20;

async function addFile(
  source: AsyncIterable<Uint8Array>,
  { store, hashes }: DaemonServices,
  signal?: AbortSignal,
): Promise<NarCalculation & { readonly node: Node }> {
  const { digest, size } = await storeFile(source, store.blobs, signal);
  const node: Node = { kind: 'file', digest, size, executable: false };
  // It is not worth remembering: whoever has the node has its path info, which says the same.
  const narCalculation = narCalculationByRendering({ ...store, hashes });
  return { node, ...(await narCalculation.calculateNar(node, signal)) };
}

async function storeFile(
  source: AsyncIterable<Uint8Array>,
  blobs: BlobService,
  signal?: AbortSignal,
): Promise<{ readonly digest: B3Digest; readonly size: number }> {
  const gathered: Uint8Array[] = [];
  let size = 0;
  let writer: BlobWriter | undefined;
  try {
    for await (const piece of source) {
      size += piece.length;
      // The piece's memory is used again.
      if (writer === undefined) gathered.push(piece.slice());
      else await writer.write(piece);
      if (writer !== undefined || size <= smallFile) continue;
      writer = await blobs.create(signal);
      for (const it of gathered.splice(0)) await writer.write(it);
    }
    return { digest: await (writer?.close() ?? blobs.put(concatBytes(gathered), signal)), size };
  } finally {
    await writer?.[Symbol.asyncDispose]();
  }
}

function checkNar(stated: StatedPathInfo, found: NarCalculation, printed: string): void {
  const mismatch = (what: string, specified: string, got: string): NixDaemonError =>
    new NixDaemonError(
      'mismatch',
      `${what} mismatch importing path '${printed}';\n  specified: ${specified}\n  got:       ${got}`,
    );
  if (!found.narHash.equals(stated.narHash)) {
    throw mismatch('hash', stated.narHash.format('sri'), found.narHash.format('sri'));
  }
  if (found.narSize !== stated.narSize) {
    throw mismatch('size', `${stated.narSize}`, `${found.narSize}`);
  }
}

// oxlint-disable-next-line eslint/max-params -- what is said, what came, and the signal last
async function checkContentAddress(
  stated: StatedPathInfo,
  node: Node,
  services: DaemonServices,
  signal?: AbortSignal,
): Promise<void> {
  const { contentAddress, storePath } = stated;
  if (contentAddress === undefined) return;
  const found = await contentDigests(stated, node, services, signal);
  if (found.some((it) => it.equals(contentAddress.digest))) return;
  const printed = services.storeDirectory.print(storePath);
  throw new NixDaemonError(
    'mismatch',
    `ca hash mismatch importing path '${printed}';\n  specified: ${typedDigest(contentAddress.digest)}\n` +
      `  got:       ${found[0] === undefined ? 'nothing' : typedDigest(found[0])}`,
  );
}

/** Versions of Nix differ in how they hash what mentions itself. */
// oxlint-disable-next-line eslint/max-params -- what is said, what came, and the signal last
async function contentDigests(
  { contentAddress, storePath, references }: StatedPathInfo,
  node: Node,
  { store, hashes }: DaemonServices,
  signal?: AbortSignal,
): Promise<readonly Digest[]> {
  if (contentAddress === undefined) return [];
  const { method, digest } = contentAddress;
  if ((method === 'flat' || method === 'text') && node.kind !== 'file') return [];
  const { algorithm } = digest;
  const mentionsItself = references.some(({ hashPart }) => hashPart === storePath.hashPart);
  const options = { ...store, hashes, method, algorithm };
  if (!mentionsItself) return [await contentDigest(node, options, signal)];
  const modulus = storePath.hashPart;
  const digestOf = (hashesOffsets: boolean): Promise<Digest> =>
    contentDigest(node, { ...options, modulus, hashesOffsets }, signal);
  return [await digestOf(true), await digestOf(false)];
}

/** Neither its contents nor anybody who is trusted vouches for it. */
// oxlint-disable-next-line eslint/max-params -- what is said, who is believed, and with what
function isUntrusted(stated: StatedPathInfo, keys: readonly PublicKey[], services: DaemonServices): boolean {
  const { trust, storeDirectory, ed25519 } = services;
  if (!trust.requireSignatures || followsFromContents(stated, services)) return false;
  if (stated.narSize === 0) return true;
  const fingerprint = fingerprintPathInfo(storeDirectory, stated);
  return !stated.signatures.some((signature) => verifyFingerprint(fingerprint, { signature, keys }, ed25519));
}

function followsFromContents(stated: StatedPathInfo, { storeDirectory }: DaemonServices): boolean {
  const { contentAddress, storePath } = stated;
  if (contentAddress === undefined) return false;
  const references = stated.references.filter(({ hashPart }) => hashPart !== storePath.hashPart);
  try {
    const path = contentAddressedPath(storeDirectory, {
      name: storePath.name,
      contentAddress,
      references,
      selfReference: references.length < stated.references.length,
    });
    return path.hashPart === storePath.hashPart;
  } catch (error) {
    if (error instanceof NixCompatError) return false;
    throw error;
  }
}

/** What is there already stays as it is. */
async function register(pathInfo: PathInfo, services: AddServices, signal?: AbortSignal): Promise<PathInfo> {
  const { store, derivations, view } = services;
  const already = await findPathInfo(pathInfo.storePath, services, signal);
  if (already !== undefined) return already;
  const { storePath } = pathInfo;
  for (const reference of pathInfo.references) {
    if (reference.hashPart === storePath.hashPart) continue;
    if ((await findPathInfo(reference, services, signal)) === undefined)
      throw invalidPath(reference, services);
  }
  if (storePath.isDerivation) await derivations.check(await derivations.readFrom(pathInfo, signal));
  const stored = await store.pathInfos.put(pathInfo, signal);
  await view?.show(stored, signal);
  return stored;
}

function typedDigest(digest: Digest): string {
  return `${digest.algorithm}:${digest.format('nix32')}`;
}
