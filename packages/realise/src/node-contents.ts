/** What a node names: the directories below it, and the bytes of files. */
import { CastoreError } from '@neve/castore';
import type { BlobService, Directory, DirectoryService, FileNode, Node } from '@neve/castore';

/** Root first; empty for what is no directory. Throws `CastoreError` (`not-found`). */
export async function readNodeClosure(
  node: Node,
  directories: DirectoryService,
  signal?: AbortSignal,
): Promise<readonly Directory[]> {
  if (node.kind !== 'directory') return [];
  const closure: Directory[] = [];
  for await (const directory of directories.closure(node.digest, signal)) closure.push(directory);
  if (closure.length > 0) return closure;
  throw new CastoreError('not-found', `the directory ${node.digest.toString()} is not there`);
}

/** A piece is valid until the next one is asked for. Throws `CastoreError` (`not-found`). */
export async function* streamFile(
  { digest }: FileNode,
  blobs: BlobService,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  await using reader = await blobs.open(digest, signal);
  if (reader === undefined) {
    throw new CastoreError('not-found', `the blob ${digest.toString()} is not there`);
  }
  yield* reader.stream({}, signal);
}

/** All bytes of a file. */
export async function readFile(
  node: FileNode,
  blobs: BlobService,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(node.size);
  let length = 0;
  for await (const piece of streamFile(node, blobs, signal)) {
    bytes.set(piece, length);
    length += piece.length;
  }
  return bytes;
}
