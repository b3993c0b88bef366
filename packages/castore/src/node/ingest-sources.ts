/** From a source to a node in one call: an importer of entries, and `ingestEntries` that consumes them. */
import { archiveEntries } from '../archive-entries.ts';
import type { ArchiveLimits } from '../archive/archive-member.ts';
import type { StripRoot } from '../archive/archive-tree.ts';
import { readTar } from '../archive/read-tar.ts';
import type { BlobService } from '../blob-service.ts';
import type { DirectoryService } from '../directory-service.ts';
import { ingestEntries } from '../ingest-entries.ts';
import type { Node } from '../node.ts';
import { decompress } from './decompress.ts';
import { type FileSystemEntriesOptions, fileSystemEntries } from './file-system-entries.ts';
import { type GitEntriesOptions, gitEntries } from './git-entries.ts';
import { type RandomAccess, readZip } from './read-zip.ts';

type Target = { readonly blobs: BlobService; readonly directories: DirectoryService };

export type IngestFilesOptions = FileSystemEntriesOptions & Target;
export type IngestGitOptions = GitEntriesOptions & Target;
export type IngestArchiveOptions = Target & {
  readonly strip: StripRoot;
  readonly limits?: ArchiveLimits;
  readonly signal?: AbortSignal;
};

/** Imports a file, directory or symbolic link of the file system; what was read is remembered in the cache. */
export async function ingestFiles(path: string | Buffer, options: IngestFilesOptions): Promise<Node> {
  const node = await ingestEntries(options.directories, fileSystemEntries(path, options), options.signal);
  await options.cache?.save();
  return node;
}

/** Imports a tar archive, compressed in any way that its first bytes tell. */
export function ingestTar(source: AsyncIterable<Uint8Array>, options: IngestArchiveOptions): Promise<Node> {
  const members = readTar(decompress(source, 'auto'), options.limits);
  return ingestEntries(options.directories, archiveEntries(members, options), options.signal);
}

/** Imports a zip archive, from a file or from anything that can be read at an offset. */
export function ingestZip(source: string | RandomAccess, options: IngestArchiveOptions): Promise<Node> {
  const members = readZip(source, options.limits);
  return ingestEntries(options.directories, archiveEntries(members, options), options.signal);
}

/** Imports a revision of a local git repository. */
export function ingestGit(repository: string, revision: string, options: IngestGitOptions): Promise<Node> {
  return ingestEntries(options.directories, gitEntries(repository, revision, options), options.signal);
}
