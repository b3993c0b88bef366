/**
 * A node as a tar archive that depends on nothing but the node (`archive/write-tar.ts` says how): parents come before their
 * children, names in bytewise order. The root directory has no member of its own, so that unpacking leaves the folder that it
 * is unpacked into as it is. A file or symbolic link that is the root has the name `contents`.
 */
import type { ArchiveMember, ArchivePath } from './archive/archive-member.ts';
import { writeTar } from './archive/write-tar.ts';
import type { B3Digest } from './b3-digest.ts';
import type { BlobService } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import type { Directory } from './directory.ts';
import type { DirectoryService } from './directory-service.ts';
import type { Node } from './node.ts';

/** Where the things below a node are. */
export type TarSources = { readonly blobs: BlobService; readonly directories: DirectoryService };

/**
 * The bytes of the archive; a piece is valid until the next one is asked for. Throws `CastoreError`: `not-found` when
 * something below the node is missing, `corrupt` for a blob of another size than recorded.
 */
export function exportTar(
  node: Node,
  sources: TarSources,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  return writeTar(members(node, sources, signal));
}

/** Parents before children. */
async function* members(
  root: Node,
  { blobs, directories }: TarSources,
  signal?: AbortSignal,
): AsyncGenerator<ArchiveMember, void, void> {
  const byDigest = new Map<string, Directory>();
  if (root.kind === 'directory') {
    for await (const directory of directories.closure(root.digest, signal)) {
      byDigest.set(directory.digest.key, directory);
    }
  }
  const only = new TextEncoder().encode('contents');
  const open: { readonly node: Node; readonly path: ArchivePath }[] = [
    { node: root, path: root.kind === 'directory' ? [] : [only] },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, path } = next;
    if (node.kind === 'symlink') yield { kind: 'symlink', path, target: node.target.bytes };
    else if (node.kind === 'file') {
      const { digest, size, executable } = node;
      yield { kind: 'file', path, executable, sizeBytes: size, contents: contentsOf(digest, blobs, signal) };
    } else {
      if (path.length > 0) yield { kind: 'directory', path };
      const directory = byDigest.get(node.digest.key);
      if (directory === undefined) {
        throw new CastoreError('not-found', `the directory ${node.digest.toString()} is missing`);
      }
      for (const { name, node: child } of directory.entries.toReversed()) {
        open.push({ node: child, path: [...path, name.bytes] });
      }
    }
  }
}

async function* contentsOf(
  digest: B3Digest,
  blobs: BlobService,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  await using reader = await blobs.open(digest, signal);
  if (reader === undefined) throw new CastoreError('not-found', `the blob ${digest.toString()} is missing`);
  yield* reader.stream(undefined, signal);
}
