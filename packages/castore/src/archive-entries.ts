/** From the members of an archive, in whatever order they come, to the entries that `ingestEntries` wants. */
import { ArchiveTree, type StripRoot } from './archive/archive-tree.ts';
import { type ArchiveMember, type ArchivePath, showArchivePath } from './archive/archive-member.ts';
import type { B3Digest } from './b3-digest.ts';
import type { BlobService } from './blob-service.ts';
import { BlobUploader } from './blob-uploader.ts';
import { CastoreError } from './castore-error.ts';
import type { IngestionEntry, IngestionPath } from './ingestion-entry.ts';
import { PathComponent, SymlinkTarget } from './path-component.ts';

export type ArchiveEntriesOptions = {
  readonly blobs: BlobService;
  readonly strip: StripRoot;
  readonly signal?: AbortSignal;
};

/** The blob of a file. */
type StoredContents = { digest: B3Digest | undefined };

/**
 * Stores the contents of all files, then yields the tree. Throws `CastoreError` (`invalid-archive`) for what the tree's
 * rules refuse.
 */
export async function* archiveEntries(
  members: AsyncIterable<ArchiveMember>,
  { blobs, strip, signal }: ArchiveEntriesOptions,
): AsyncIterable<IngestionEntry> {
  const tree = new ArchiveTree<StoredContents>();
  await using uploader = new BlobUploader(blobs, { ...(signal !== undefined && { signal }) });
  for await (const member of members) {
    signal?.throwIfAborted();
    if (member.kind !== 'file') {
      tree.add(member);
      continue;
    }
    const { kind, path, executable, sizeBytes, contents } = member;
    const value: StoredContents = { digest: undefined };
    tree.add({ kind, path, executable, sizeBytes, value });
    value.digest = await uploader.upload({ size: sizeBytes, contents, name: showArchivePath(path) });
  }
  await uploader.finish();
  for (const entry of tree.entries(strip)) {
    const path = entryPath(entry.path);
    if (entry.kind === 'directory') yield { kind: 'directory', path };
    else if (entry.kind === 'symlink')
      yield { kind: 'symlink', path, target: new SymlinkTarget(entry.target) };
    else {
      const { digest } = entry.value;
      if (digest === undefined) throw new Error('a stored file has no digest');
      yield { kind: 'file', path, digest, size: entry.sizeBytes, executable: entry.executable };
    }
  }
}

function entryPath(path: ArchivePath): IngestionPath {
  try {
    return path.map((component) => new PathComponent(component));
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw new CastoreError('invalid-archive', `${showArchivePath(path)}: ${cause.message}`, { cause });
  }
}
