/** From the members of an archive, in whatever order they come, to the entries that `ingestEntries` wants. */
import { ArchiveTree, type StripRoot } from './archive/archive-tree.ts';
import { type ArchiveMember, type ArchivePath, showArchivePath } from './archive/archive-member.ts';
import type { B3Digest } from './b3-digest.ts';
import type { BlobService } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import type { IngestionEntry, IngestionPath } from './ingestion-entry.ts';
import { OrderedWindow } from './ordered-window.ts';
import { PathComponent, SymlinkTarget } from './path-component.ts';

export type ArchiveEntriesOptions = {
  readonly blobs: BlobService;
  readonly strip: StripRoot;
  readonly signal?: AbortSignal;
};

/** Files up to this size are gathered in memory and stored in the background. */
const smallFile = 1 << 20;

const limits = { maxCost: 64 << 20, maxItems: 1024 };

/** The blob of a file, which is under way while the members after it are read. */
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
  await using uploads = new OrderedWindow<void>(limits);
  for await (const member of members) {
    signal?.throwIfAborted();
    if (member.kind !== 'file') {
      tree.add(member);
      continue;
    }
    const { kind, path, executable, sizeBytes } = member;
    const value: StoredContents = { digest: undefined };
    tree.add({ kind, path, executable, sizeBytes, value });
    if (sizeBytes > smallFile) {
      value.digest = await storeStream(blobs, member.contents, signal);
      continue;
    }
    const bytes = await gather(member.contents, sizeBytes);
    const stored = blobs.put(bytes, signal).then((digest) => void (value.digest = digest));
    uploads.push(stored, sizeBytes);
    while (uploads.isFull) await uploads.shift();
  }
  while (!uploads.isEmpty) await uploads.shift();
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

/** Stores a blob as it streams. */
export async function storeStream(
  blobs: BlobService,
  contents: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<B3Digest> {
  await using writer = await blobs.create(signal);
  for await (const piece of contents) await writer.write(piece);
  return await writer.close();
}

async function gather(contents: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  for await (const piece of contents) {
    bytes.set(piece, done);
    done += piece.length;
  }
  if (done !== size) throw new CastoreError('invalid-archive', 'a member of the archive is cut off');
  return bytes;
}

function entryPath(path: ArchivePath): IngestionPath {
  try {
    return path.map((component) => new PathComponent(component));
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw new CastoreError('invalid-archive', `${showArchivePath(path)}: ${cause.message}`, { cause });
  }
}
