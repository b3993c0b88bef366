/**
 * A NAR of which any range of bytes can be read, as an HTTP client with `Range` wants it. What stands between the contents
 * of files is kept in memory, with the place of every piece; contents are read from the blobs when they are asked for.
 */
import type { BlobService, ByteRange, Node } from '@neve/castore';
import { streamParts } from './nar-parts.ts';
import type { NarPart } from './nar-parts.ts';
import { measureNar, narSegments, readClosure } from './nar-segments.ts';
import type { NarSegment } from './nar-segments.ts';
import type { NarSources } from './render-nar.ts';
import { StoreError } from './store-error.ts';

/** A segment costs some hundred bytes of memory. */
const maxSegments = 4_000_000;

export class SeekableNar {
  /** In bytes. */
  readonly size: number;
  readonly #blobs: BlobService;
  readonly #readAhead: number;
  readonly #segments: readonly NarSegment[];
  /** Where each segment begins. */
  readonly #offsets: Float64Array;

  private constructor(segments: readonly NarSegment[], { blobs, readAhead = 32 }: NarSources) {
    this.#segments = segments;
    this.#blobs = blobs;
    this.#readAhead = readAhead;
    this.#offsets = new Float64Array(segments.length);
    let offset = 0;
    segments.forEach((segment, index) => {
      this.#offsets[index] = offset;
      offset += lengthOf(segment);
    });
    this.size = offset;
  }

  /** Reads the directories below the node. Throws as `renderNar` does; `unsupported` also for very many files. */
  static async open(node: Node, sources: NarSources, signal?: AbortSignal): Promise<SeekableNar> {
    const closure = await readClosure(node, sources.directories, signal);
    const { segments } = measureNar(node, closure);
    if (segments > maxSegments) {
      throw new StoreError(
        'unsupported',
        `a NAR of more than ${maxSegments / 2} files can only be read as a whole`,
      );
    }
    return new SeekableNar([...narSegments(node, closure)], sources);
  }

  /** The bytes from `start` (0) to `end` (the end). A piece is valid until the next one is asked for. */
  stream({ start = 0, end = this.size }: ByteRange = {}, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const range = { start: Math.max(0, start), end: Math.min(end, this.size) };
    return streamParts(this.#parts(range), { blobs: this.#blobs, readAhead: this.#readAhead }, signal);
  }

  *#parts({ start, end }: Required<ByteRange>): Generator<NarPart, void, void> {
    for (let index = this.#find(start); index < this.#segments.length; index++) {
      const segment = this.#segments[index] as NarSegment;
      const offset = this.#offsets[index] as number;
      if (offset >= end) return;
      const from = Math.max(0, start - offset);
      const to = Math.min(lengthOf(segment), end - offset);
      if (from >= to) continue;
      yield segment instanceof Uint8Array
        ? segment.subarray(from, to)
        : { node: segment, start: from, end: to };
    }
  }

  /** The last segment that begins at `position` or before. */
  #find(position: number): number {
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#offsets[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lengthOf(segment: NarSegment): number {
  return segment instanceof Uint8Array ? segment.length : segment.size;
}
