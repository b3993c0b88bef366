/**
 * A node as a NAR: all of it in one pass. The directories are read first, the blobs as they are needed, a few of them ahead
 * (`nar-parts.ts`).
 */
import type { BlobService, DirectoryService, Node } from '@neve/castore';
import { streamPieces } from './nar-parts.ts';
import type { FilePart, NarPart, PiecesOptions } from './nar-parts.ts';
import { measureNar, narSegments, readClosure } from './nar-segments.ts';
import type { NarSegment } from './nar-segments.ts';

export type NarSources = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** How many blobs are fetched ahead; 32 unless given. */
  readonly readAhead?: number;
};

/**
 * The NAR in pieces, most of them of some hundred KiB; each is valid until the next one is asked for. Throws `StoreError`:
 * `not-found` when something below the node is missing, `corrupt` when a blob is not as long as it is said to be,
 * `unsupported` for more than 2^53 - 1 bytes.
 */
export function renderNar(
  node: Node,
  { blobs, directories, readAhead = 32 }: NarSources,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  // Files come only from who knows of some.
  return renderNarPieces(node, { blobs, directories, readAhead }, signal) as AsyncGenerator<
    Uint8Array,
    void,
    void
  >;
}

/** The same, with the names of files instead of the bytes of large blobs that `fileOf` says to be files. */
export async function* renderNarPieces(
  node: Node,
  { directories, ...options }: NarSources & Pick<PiecesOptions, 'fileOf'>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array | FilePart, void, void> {
  const closure = await readClosure(node, directories, signal);
  const { narSize: maxBytes } = measureNar(node, closure);
  yield* streamPieces(wholeParts(narSegments(node, closure)), { ...options, maxBytes }, signal);
}

/** In bytes. Blobs are not needed. Throws as `renderNar` does. */
export async function narSize(
  node: Node,
  directories: DirectoryService,
  signal?: AbortSignal,
): Promise<number> {
  return measureNar(node, await readClosure(node, directories, signal)).narSize;
}

function* wholeParts(segments: Iterable<NarSegment>): Generator<NarPart, void, void> {
  for (const segment of segments) {
    yield segment instanceof Uint8Array ? segment : { node: segment, start: 0, end: segment.size };
  }
}
