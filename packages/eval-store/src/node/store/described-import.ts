/**
 * Files that evaluation named by their contents: where their store path comes from, and how they get into castore once
 * somebody wants them. Their contents were hashed when they were described, and must still be the same when they are read.
 */
import { Digest, concatBytes, decodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  Directory,
  type DirectoryEntry,
  type IngestionPath,
  type Node,
  type DirectoryNode,
} from '@neve/castore';
import { ingestFiles } from '@neve/castore/node';
import { type AddPathOptions, type AddedPath, EvalIOError, type PathSet } from '@neve/eval';
import {
  type ContentAddress,
  type StoreDirectory,
  type StorePath,
  contentAddressedPath,
} from '@neve/nix-compat';
import { type DescribedImport, type ImportedNode, contentDigest } from '@neve/realise';
import { type Castore, type NarCalculation, NarObserver, narCalculationByRendering } from '@neve/store';

/** A path of the machine. */
export function describedImport(
  request: AddPathOptions,
  storePath: StorePath,
  added: AddedPath,
): DescribedImport {
  const contentAddress = contentAddressOf(request, added.digest);
  return {
    kind: 'import',
    storePath,
    contentAddress,
    read: async (castore, signal) => {
      const imported = await importFiles(request, castore, signal);
      await checkUnchanged(imported, { request, contentAddress, castore });
      return imported;
    },
  };
}

type StoreNodeOptions = {
  readonly request: AddPathOptions;
  readonly castore: Castore;
  readonly storeDirectory: StoreDirectory;
  readonly directory: (node: DirectoryNode) => Promise<Directory | undefined>;
};

/** Something that is in castore already, or a part of it. */
export async function addedPathOf(
  source: Node,
  { request, castore, storeDirectory, directory }: StoreNodeOptions,
): Promise<{
  readonly storePath: StorePath;
  readonly digest: Uint8Array;
  readonly described: DescribedImport;
}> {
  const { accepted, name, expected, hashAlgorithm } = request;
  const whole = request.method === 'nar' ? source : asPlainFile(source, request.path);
  const node =
    accepted === undefined
      ? whole
      : await filtered(whole, { accepted, castore, directory, at: new Uint8Array() });
  const digest = await digestOf(node, request, castore);
  if (expected !== undefined && !digest.equals(new Digest(hashAlgorithm, expected))) {
    const message = `store path mismatch in (possibly filtered) path added from '${decodeUtf8(request.path)}'`;
    throw new EvalIOError('hash-mismatch', message, { path: request.path });
  }
  const contentAddress: ContentAddress = { method: request.method, digest };
  const storePath = contentAddressedPath(storeDirectory, { name, contentAddress });
  const read = async (): Promise<ImportedNode> => ({ node, ...(await narOf(node, castore)) });
  return { storePath, digest: digest.bytes, described: { kind: 'import', storePath, contentAddress, read } };
}

function contentAddressOf({ method, hashAlgorithm }: AddPathOptions, digest: Uint8Array): ContentAddress {
  return { method, digest: new Digest(hashAlgorithm, digest) };
}

async function importFiles(
  { path, method, accepted }: AddPathOptions,
  castore: Castore,
  signal?: AbortSignal,
): Promise<ImportedNode> {
  const observer = new NarObserver(nodeHashes);
  const node = await ingestFiles(Buffer.from(path), {
    ...castore,
    observer,
    ...(signal === undefined ? {} : { signal }),
    ...(accepted === undefined ? {} : { filter: (it) => accepted.has(joined(it)) }),
  });
  const nar = observer.result();
  if (method === 'nar' && nar !== undefined) return { node, ...nar };
  const plain = method === 'nar' ? node : asPlainFile(node, path);
  return { node: plain, ...(await narOf(plain, castore)) };
}

/** What is added as a file loses its executable bit. */
function asPlainFile(node: Node, path: Uint8Array): Node {
  if (node.kind === 'file') return { ...node, executable: false };
  throw new EvalIOError('unsupported-file', `'${decodeUtf8(path)}' is not a regular file`, { path });
}

async function checkUnchanged(
  imported: ImportedNode,
  context: {
    readonly request: AddPathOptions;
    readonly contentAddress: ContentAddress;
    readonly castore: Castore;
  },
): Promise<void> {
  const { request, contentAddress, castore } = context;
  const { method, digest } = contentAddress;
  const actual =
    method === 'nar' && digest.algorithm === 'sha256'
      ? imported.narHash
      : await digestOf(imported.node, request, castore);
  if (actual.equals(digest)) return;
  const path = decodeUtf8(request.path);
  throw new EvalIOError('hash-mismatch', `'${path}' has changed since it was evaluated; evaluate again`, {
    path: request.path,
  });
}

/** As the path is named by its contents. */
function digestOf(
  node: Node,
  { method, hashAlgorithm: algorithm }: AddPathOptions,
  castore: Castore,
): Promise<Digest> {
  return contentDigest(node, { ...castore, hashes: nodeHashes, method, algorithm });
}

function narOf(node: Node, castore: Castore): Promise<NarCalculation> {
  return narCalculationByRendering({ ...castore, hashes: nodeHashes }).calculateNar(node);
}

type Filtering = Pick<StoreNodeOptions, 'castore' | 'directory'> & {
  readonly accepted: PathSet;
  /** Relative to the root. */
  readonly at: Uint8Array;
};

/** The node without what is not accepted; its new directories are stored. */
async function filtered(node: Node, filtering: Filtering): Promise<Node> {
  if (node.kind !== 'directory') return node;
  const { castore, directory, accepted, at } = filtering;
  const entries: DirectoryEntry[] = [];
  for (const entry of (await directory(node))?.entries ?? []) {
    const path = at.length === 0 ? entry.name.bytes : concatBytes([at, slash, entry.name.bytes]);
    if (!accepted.has(path)) continue;
    entries.push({ name: entry.name, node: await filtered(entry.node, { ...filtering, at: path }) });
  }
  const kept = Directory.of(entries);
  await castore.directories.put(kept);
  return { kind: 'directory', digest: kept.digest, size: kept.size };
}

const slash = Uint8Array.of(0x2f);

function joined(path: IngestionPath): Uint8Array {
  return concatBytes(path.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [slash, bytes])));
}
