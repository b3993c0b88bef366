/**
 * What clients add: contents whose path follows from them, and NARs of paths that they name, with what they say of them.
 *
 * Nothing is put before all of it is known to be true: contents against hashes, content addresses against paths, references
 * against the store, derivations against the paths of their outputs, and who vouches for what is none of these.
 */
import { type Digest, type HashAlgorithm, concatBytes } from '@neve/bytes';
import type { BlobService, BlobWriter, FileNode, Node } from '@neve/castore';
import {
  type ContentAddress,
  type ContentAddressMethod,
  NarWriter,
  NixCompatError,
  type PublicKey,
  type StorePath,
  contentAddressedPath,
  storePathSet,
  verifyFingerprint,
  fingerprintPathInfo,
} from '@neve/nix-compat';
import { contentDigest } from '@neve/realise';
import {
  type NarCalculation,
  type PathInfo,
  ingestNar,
  mendingCastore,
  narCalculationByRendering,
} from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices } from './daemon-services.ts';
import type { StoredDerivations } from './stored-derivations.ts';
import { findPathInfo, invalidPath } from './valid-paths.ts';

export type AddServices = DaemonServices & { readonly derivations: StoredDerivations };

export type AddOptions = {
  readonly services: AddServices;
  /** What is there is stored anew where it is damaged, and replaced where it is something else. */
  readonly repair?: boolean;
  readonly signal?: AbortSignal | undefined;
};

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
  options: AddOptions,
): Promise<PathInfo> {
  return await mending(options, (mended) => addContentsTo(source, wanted, mended));
}

/** Stores by what replaces damaged objects, if that is wanted, and shows them anew. */
async function mending<Options extends AddOptions, Result extends PathInfo | undefined>(
  options: Options,
  add: (options: Options) => Promise<Result>,
): Promise<Result> {
  const { services, repair = false, signal } = options;
  if (!repair) return await add(options);
  const { mendedBlobs, ...castore } = mendingCastore(services.store);
  const added = await add({
    ...options,
    services: { ...services, store: { ...services.store, ...castore } },
  });
  if (added !== undefined && mendedBlobs() > 0) {
    await services.forgetInputs?.();
    await services.view?.forget([added.storePath]);
    await services.view?.show(added, signal);
  }
  return added;
}

async function addContentsTo(
  source: AsyncIterable<Uint8Array>,
  wanted: ContentsToAdd,
  options: AddOptions,
): Promise<PathInfo> {
  if (wanted.form === 'nar') return await addTree(source, wanted, options);
  const { services, signal } = options;
  const taken = await takeFile(source, services.store.blobs, signal);
  if (!(taken instanceof Uint8Array)) return await addNode(taken, wanted, options);
  return await addSmallFile(taken, wanted, options);
}

async function addTree(
  source: AsyncIterable<Uint8Array>,
  wanted: ContentsToAdd,
  options: AddOptions,
): Promise<PathInfo> {
  const { services, signal } = options;
  const { node, ...nar } = await ingestNar(source, { ...services.store, hashes: services.hashes }, signal);
  const { method } = wanted;
  if ((method === 'flat' || method === 'text') && (node.kind !== 'file' || node.executable)) {
    throw new NixDaemonError('invalid-request', `cannot add '${wanted.name}': it is no plain file`);
  }
  return await addNode(node, wanted, options, nar);
}

// oxlint-disable-next-line eslint/max-params -- what, how, where, and what is known of it
async function addNode(
  node: Node,
  { method, algorithm, ...named }: ContentsToAdd,
  options: AddOptions,
  known?: NarCalculation,
): Promise<PathInfo> {
  const { services, signal } = options;
  const context = { ...services.store, hashes: services.hashes };
  // It is not worth remembering: whoever has the node has its path info, which says the same.
  const nar = known ?? (await narCalculationByRendering(context).calculateNar(node, signal));
  const digest =
    method === 'nar' && algorithm === 'sha256'
      ? nar.narHash
      : await contentDigest(node, { ...context, method, algorithm }, signal);
  const stated = contentAddressedInfo({ ...named, contentAddress: { method, digest } }, nar, services);
  return await register({ pathInfo: { ...stated, node } }, options);
}

/** Everything is known of it before it is stored, and most are there already or are derivations, which are read at once. */
async function addSmallFile(
  contents: Uint8Array,
  { method, algorithm, ...named }: ContentsToAdd,
  options: AddOptions,
): Promise<PathInfo> {
  const { services, signal } = options;
  const { hashes, store } = services;
  const nar = narOfFile(contents);
  const hashed = method === 'nar' ? nar : method === 'flat' || method === 'text' ? contents : undefined;
  if (hashed === undefined) {
    const node = await storeSmallFile(contents, store.blobs, signal);
    return await addNode(node, { method, algorithm, ...named }, options);
  }
  const digest = hashes.hash(algorithm, hashed);
  const stated = contentAddressedInfo(
    { ...named, contentAddress: { method, digest } },
    { narHash: hashes.hash('sha256', nar), narSize: nar.length },
    services,
  );
  const already = await findPathInfo(stated.storePath, services, signal);
  if (already !== undefined && options.repair !== true) return already;
  const node = await storeSmallFile(contents, store.blobs, signal);
  return await register({ pathInfo: { ...stated, node }, contents }, options);
}

type Addressed = Pick<ContentsToAdd, 'name' | 'references'> & { readonly contentAddress: ContentAddress };

// oxlint-disable-next-line eslint/max-params -- what it is called, what it is, and where
function contentAddressedInfo(
  { name, contentAddress, references: given }: Addressed,
  { narHash, narSize }: NarCalculation,
  { storeDirectory }: AddServices,
): StatedPathInfo {
  const references = storePathSet(given);
  const storePath = contentAddressedPath(storeDirectory, { name, contentAddress, references });
  return { storePath, references, contentAddress, narHash, narSize, signatures: [], deriver: undefined };
}

/**
 * Takes all of the source, which is one NAR, unless the path is there. `checksSignatures`: somebody trusted has to vouch for it,
 * unless its contents do. Throws `NixDaemonError`: `untrusted`, `mismatch`, `invalid-path` for a reference that is not there.
 */
export async function addNar(
  source: AsyncIterable<Uint8Array>,
  stated: StatedPathInfo,
  options: AddNarOptions,
): Promise<PathInfo | undefined> {
  return await mending(options, (mended) => addNarTo(source, stated, mended));
}

async function addNarTo(
  source: AsyncIterable<Uint8Array>,
  stated: StatedPathInfo,
  options: AddNarOptions,
): Promise<PathInfo | undefined> {
  const { services, checksSignatures, publicKeys, signal } = options;
  const { store, hashes, storeDirectory } = services;
  if (checksSignatures && isUntrusted(stated, publicKeys, services)) {
    throw new NixDaemonError(
      'untrusted',
      `cannot add path '${storeDirectory.print(stated.storePath)}' because it lacks a signature by a trusted key`,
    );
  }
  const already = await findPathInfo(stated.storePath, services, signal);
  if (already !== undefined && options.repair !== true) return undefined;
  const { node, narHash, narSize } = await ingestNar(source, { ...store, hashes }, signal);
  checkNar(stated, { narHash, narSize }, storeDirectory.print(stated.storePath));
  await checkContentAddress(stated, node, services, signal);
  return await register({ pathInfo: { ...stated, node } }, options);
}

/** Files up to this size are gathered in memory, which is faster than to begin a large blob. */
const smallFile = 1 << 20;

/** The bytes of a small file, which is stored nowhere yet; or a large one as it was stored. */
async function takeFile(
  source: AsyncIterable<Uint8Array>,
  blobs: BlobService,
  signal?: AbortSignal,
): Promise<Uint8Array | FileNode> {
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
    if (writer === undefined) return concatBytes(gathered);
    return { kind: 'file', digest: await writer.close(), size, executable: false };
  } finally {
    await writer?.[Symbol.asyncDispose]();
  }
}

async function storeSmallFile(
  contents: Uint8Array,
  blobs: BlobService,
  signal?: AbortSignal,
): Promise<FileNode> {
  const digest = await blobs.put(contents, signal);
  return { kind: 'file', digest, size: contents.length, executable: false };
}

function narOfFile(contents: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => pieces.push(bytes.slice()));
  writer.startRegular(contents.length, false);
  writer.contents(contents);
  writer.endRegular();
  writer.end();
  return concatBytes(pieces);
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

/** The contents of a small file are given where they are at hand. */
type Registration = { readonly pathInfo: PathInfo; readonly contents?: Uint8Array };

/** What is there already stays as it is, unless it is to be repaired and is something else. */
async function register(
  { pathInfo, contents }: Registration,
  { services, repair = false, signal }: AddOptions,
): Promise<PathInfo> {
  const { store, derivations, view } = services;
  const already = await findPathInfo(pathInfo.storePath, services, signal);
  if (already !== undefined && (!repair || already.narHash.equals(pathInfo.narHash))) return already;
  const { storePath } = pathInfo;
  for (const reference of pathInfo.references) {
    if (reference.hashPart === storePath.hashPart) continue;
    if ((await findPathInfo(reference, services, signal)) === undefined)
      throw invalidPath(reference, services);
  }
  if (storePath.isDerivation) {
    const derivation =
      contents === undefined
        ? await derivations.readFrom(pathInfo, signal)
        : derivations.parse(storePath, contents);
    await derivations.check(derivation);
  }
  const stored = await store.pathInfos.put(pathInfo, signal);
  if (already !== undefined) await view?.forget([storePath]);
  await view?.show(stored, signal);
  return stored;
}

function typedDigest(digest: Digest): string {
  return `${digest.algorithm}:${digest.format('nix32')}`;
}
