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
  if (contentAddress === undefined || !followsFromContentAddress(pathInfo, store)) return false;
  if (pathInfo.references.some(({ hashPart }) => hashPart === pathInfo.storePath.hashPart)) return false;
  if (contentAddress.method === 'nar' && contentAddress.digest.algorithm === 'sha256') {
    return contentAddress.digest.equals(pathInfo.narHash);
  }
  if (contents === undefined) return false;
  const digest = await hashContents(pathInfo.node, { ...contents, contentAddress }, signal);
  return digest !== undefined && digest.equals(contentAddress.digest);
}

/** Whether the path is the one that its content address, name and references give. */
export function followsFromContentAddress(pathInfo: PathInfo, store: StoreDirectory): boolean {
  const { contentAddress, storePath } = pathInfo;
  if (contentAddress === undefined) return false;
  const others = pathInfo.references.filter(({ hashPart }) => hashPart !== storePath.hashPart);
  try {
    const path = contentAddressedPath(store, {
      name: storePath.name,
      contentAddress,
      references: others,
      selfReference: others.length < pathInfo.references.length,
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
  if (method === 'git' || (method !== 'nar' && node.kind !== 'file')) return undefined;
  const hasher = hashes.create(digest.algorithm);
  const pieces =
    method === 'nar' || node.kind !== 'file'
      ? renderNar(node, { blobs, directories }, signal)
      : streamBlob(node, { blobs }, signal);
  for await (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}
