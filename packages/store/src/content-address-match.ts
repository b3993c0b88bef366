/**
 * Whether a path info's content address is true: the path follows from it, and the contents have the digest.
 *
 * What mentions its own path has a digest in which that is blanked out, differently in different versions of Nix; such
 * digests, and those of git objects, are not computed here and count as not proven.
 */
import type { HashFunctions } from '@neve/bytes';
import type { BlobService, DirectoryService, Node } from '@neve/castore';
import { NixCompatError, contentAddressedPath } from '@neve/nix-compat';
import type { ContentAddress, StoreDirectory } from '@neve/nix-compat';
import type { Digest } from '@neve/bytes';
import { streamBlob } from './nar-parts.ts';
import type { PathInfo } from './path-info.ts';
import { renderNar } from './render-nar.ts';

export type ContentAddressContext = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly hashes: HashFunctions;
};

/** Without `contents` only addresses by the SHA-256 of a NAR can be true. */
export async function matchesContentAddress(
  pathInfo: PathInfo,
  { store, contents }: { readonly store: StoreDirectory; readonly contents?: ContentAddressContext },
  signal?: AbortSignal,
): Promise<boolean> {
  const { contentAddress } = pathInfo;
  if (contentAddress === undefined || !provesContents(pathInfo)) return false;
  if (!followsFromContentAddress(pathInfo, store)) return false;
  if (contentAddress.method === 'nar' && contentAddress.digest.algorithm === 'sha256') {
    return contentAddress.digest.equals(pathInfo.narHash);
  }
  if (contents === undefined) return false;
  const digest = await hashContents(pathInfo.node, { ...contents, contentAddress }, signal);
  return digest !== undefined && digest.equals(contentAddress.digest);
}

/** What a path info or a narinfo says about a path. */
export type Addressed = Pick<PathInfo, 'storePath' | 'references'> & {
  readonly contentAddress?: ContentAddress | undefined;
};

/**
 * Whether contents can be compared with the content address: not that of a git object, and not of what mentions its own
 * path, whose digest is made in other ways.
 */
export function provesContents({ storePath, contentAddress, references }: Addressed): boolean {
  if (contentAddress === undefined || contentAddress.method === 'git') return false;
  return references.every(({ hashPart }) => hashPart !== storePath.hashPart);
}

/** Whether the path is the one that its content address, name and references give. */
export function followsFromContentAddress(
  { storePath, contentAddress, references }: Addressed,
  store: StoreDirectory,
): boolean {
  if (contentAddress === undefined) return false;
  const others = references.filter(({ hashPart }) => hashPart !== storePath.hashPart);
  try {
    const path = contentAddressedPath(store, {
      name: storePath.name,
      contentAddress,
      references: others,
      selfReference: others.length < references.length,
    });
    return path.hashPart === storePath.hashPart;
  } catch (error) {
    if (error instanceof NixCompatError) return false;
    throw error;
  }
}

type HashOptions = ContentAddressContext & { readonly contentAddress: ContentAddress };

/** `undefined` where the method has no digest of such a node. */
async function hashContents(
  node: Node,
  { contentAddress, blobs, directories, hashes }: HashOptions,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const { method, digest } = contentAddress;
  if (method !== 'nar' && node.kind !== 'file') return undefined;
  const hasher = hashes.create(digest.algorithm);
  const pieces =
    method === 'nar' || node.kind !== 'file'
      ? renderNar(node, { blobs, directories }, signal)
      : streamBlob(node, { blobs }, signal);
  for await (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}
