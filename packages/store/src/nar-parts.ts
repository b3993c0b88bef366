/**
 * Literal bytes and ranges of blobs as one stream. Blobs that come next are fetched while the consumer is busy: small ones
 * whole, up to a number of them and of bytes; large ones are opened ahead and then streamed. Small pieces are put together,
 * so that a tree of small files does not become a stream of small pieces. What a service has at hand is not fetched ahead.
 *
 * Throws `StoreError`: `not-found` for a blob that is not there, `corrupt` for one of another size than its node says. When
 * the consumer stops, everything that was opened is closed before the stream ends.
 */
import type { BlobReader, BlobService, FileNode } from '@neve/castore';
import { StoreError } from './store-error.ts';

/** Bytes, or those of a blob from `start` to `end`. */
export type NarPart = Uint8Array | BlobPart;

/** A part of a file of this machine, instead of the bytes that are in it. */
export type FilePart = { readonly file: string; readonly start: number; readonly end: number };

export type BlobPart = { readonly node: FileNode; readonly start: number; readonly end: number };

export type PartsOptions = {
  readonly blobs: BlobService;
  /** How many blobs are fetched ahead; 32 unless given. */
  readonly readAhead?: number;
};

export type PiecesOptions = PartsOptions & {
  /** The file that a blob is, if it is one. */
  readonly fileOf?: ((digest: FileNode['digest']) => Promise<string | undefined>) | undefined;
  /** How many bytes there are at most, if that is known. */
  readonly maxBytes?: number | undefined;
};

/** Blobs up to this size are fetched whole. */
const smallBlobSize = 1 << 18;

/** How many bytes of small blobs are fetched ahead. */
const maxBytesAhead = 1 << 23;

/** About how large the pieces of the stream are. */
const pieceSize = 1 << 18;

/** Bytes of this length or more are a piece of their own. */
const ownPieceSize = pieceSize >> 2;

const defaultReadAhead = 32;

/** Then it is tried again whether things are at hand. */
const partsAfterMiss = 64;

/** A part that was begun. `blob` never rejects before it is waited for; errors are kept. */
type Begun =
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  | { readonly kind: 'atHand'; readonly part: BlobPart; readonly size: number }
  | { readonly kind: 'small'; readonly size: number; readonly bytes: Promise<Uint8Array> }
  | { readonly kind: 'large'; readonly part: BlobPart; readonly reader: Promise<BlobReader> };

/** A piece is valid until the next one is asked for. */
export function streamParts(
  parts: Iterator<NarPart>,
  { blobs, readAhead = defaultReadAhead }: PartsOptions,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  // Files come only from who knows of some.
  return streamPieces(parts, { blobs, readAhead }, signal) as AsyncGenerator<Uint8Array, void, void>;
}

/** The same; of large blobs that are files only their names, for whoever can send them without looking at the bytes. */
export async function* streamPieces(
  parts: Iterator<NarPart>,
  { blobs, readAhead = defaultReadAhead, fileOf, maxBytes = Infinity }: PiecesOptions,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array | FilePart, void, void> {
  const queue = new PartQueue(parts, { blobs, readAhead }, signal);
  const pieces = new PieceBuffer(Math.min(pieceSize, maxBytes));
  try {
    for (let begun = queue.next(); begun !== undefined; begun = queue.next()) {
      signal?.throwIfAborted();
      if (begun.kind === 'large') {
        await using reader = await begun.reader;
        const { node, start, end } = begun.part;
        const file = await fileOf?.(node.digest);
        if (file !== undefined) {
          if (!pieces.isEmpty) yield pieces.take();
          yield { file, start, end };
          continue;
        }
        let length = 0;
        for await (const bytes of reader.stream({ start, end }, signal)) {
          length += bytes.length;
          if (!pieces.hasRoom(bytes.length) && !pieces.isEmpty) yield pieces.take();
          if (!pieces.put(bytes)) yield bytes;
        }
        checkLength(begun.part, length);
        continue;
      }
      const size = begun.kind === 'literal' ? begun.bytes.length : begun.size;
      // What is at hand is copied in any case: it is good only until somebody else asks.
      const mustCopy = begun.kind === 'atHand';
      if (!pieces.hasRoom(size, mustCopy) && !pieces.isEmpty) yield pieces.take();
      // Only what is not there yet is waited for: a tree of small files would wait for each of them.
      const bytes =
        begun.kind === 'literal'
          ? begun.bytes
          : begun.kind === 'small'
            ? await begun.bytes
            : (viewPart(begun.part, blobs) ?? (await queue.readMissed(begun.part)));
      if (!pieces.put(bytes, mustCopy)) yield bytes;
    }
    if (!pieces.isEmpty) yield pieces.take();
  } finally {
    await queue.close();
  }
}

/** The contents of one file. Throws as `streamParts` does. */
export function streamBlob(
  node: FileNode,
  options: PartsOptions,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return streamParts([{ node, start: 0, end: node.size }].values(), options, signal);
}

type QueueOptions = { readonly blobs: BlobService; readonly readAhead: number };

/** What was begun and not yet taken. */
class PartQueue {
  readonly #parts: Iterator<NarPart>;
  readonly #options: QueueOptions;
  readonly #signal: AbortSignal | undefined;
  /** A ring would save little: the array is short. */
  #begun: Begun[] = [];
  #taken = 0;
  #blobsAhead = 0;
  #bytesAhead = 0;
  /** How many parts more are fetched ahead although they may be at hand. */
  #cold = 0;
  #isDone = false;

  // oxlint-disable-next-line eslint/max-params -- signal comes last
  constructor(parts: Iterator<NarPart>, options: QueueOptions, signal: AbortSignal | undefined) {
    this.#parts = parts;
    this.#options = options;
    this.#signal = signal;
  }

  /** The next part, after others were begun as far as the bounds allow. */
  next(): Begun | undefined {
    if (this.#taken > 64) {
      this.#begun = this.#begun.slice(this.#taken);
      this.#taken = 0;
    }
    this.#fill();
    const begun = this.#begun[this.#taken];
    if (begun === undefined) return undefined;
    this.#taken++;
    if (begun.kind !== 'literal') this.#blobsAhead--;
    if (begun.kind === 'small') this.#bytesAhead -= begun.size;
    return begun;
  }

  /** Something was not at hand; so what comes next may not be either, and is better fetched ahead. */
  readMissed(part: BlobPart): Promise<Uint8Array> {
    this.#cold = partsAfterMiss;
    return readPart(part, this.#options.blobs, this.#signal);
  }

  /** Waits for what was begun and closes it. */
  async close(): Promise<void> {
    for (const begun of this.#begun.slice(this.#taken)) {
      if (begun.kind === 'small') await begun.bytes.catch(() => undefined);
      if (begun.kind !== 'large') continue;
      const reader = await begun.reader.catch(() => undefined);
      await reader?.[Symbol.asyncDispose]();
    }
    this.#begun = [];
    this.#taken = 0;
    this.#isDone = true;
  }

  #fill(): void {
    const { readAhead } = this.#options;
    while (
      !this.#isDone &&
      (this.#begun.length === this.#taken ||
        (this.#blobsAhead < readAhead && this.#bytesAhead < maxBytesAhead))
    ) {
      const next = this.#parts.next();
      if (next.done === true) this.#isDone = true;
      else this.#begun.push(this.#begin(next.value));
    }
  }

  #begin(part: NarPart): Begun {
    if (part instanceof Uint8Array) return { kind: 'literal', bytes: part };
    this.#blobsAhead++;
    const size = part.end - part.start;
    const { atHand } = this.#options.blobs;
    if (this.#cold > 0) this.#cold--;
    else if (size <= pieceSize && part.node.size <= (atHand?.maxBytes ?? -1)) {
      return { kind: 'atHand', part, size };
    }
    if (size > smallBlobSize) {
      const reader = openBlob(part.node, this.#options.blobs, this.#signal);
      reader.catch(() => undefined);
      return { kind: 'large', part, reader };
    }
    this.#bytesAhead += size;
    const bytes = readPart(part, this.#options.blobs, this.#signal);
    bytes.catch(() => undefined);
    return { kind: 'small', size, bytes };
  }
}

async function openBlob(node: FileNode, blobs: BlobService, signal?: AbortSignal): Promise<BlobReader> {
  const reader = await blobs.open(node.digest, signal);
  if (reader === undefined)
    throw new StoreError('not-found', `the blob ${node.digest.toString()} is not there`);
  if (reader.size === node.size) return reader;
  await reader[Symbol.asyncDispose]();
  throw wrongSize(node, reader.size);
}

/** Good until the service is asked for anything else. */
function viewPart({ node, start, end }: BlobPart, { atHand }: BlobService): Uint8Array | undefined {
  const bytes = atHand?.view(node.digest);
  if (bytes !== undefined && bytes.length !== node.size) throw wrongSize(node, bytes.length);
  return bytes?.subarray(start, end);
}

async function readPart(part: BlobPart, blobs: BlobService, signal?: AbortSignal): Promise<Uint8Array> {
  const reader = await openBlob(part.node, blobs, signal);
  try {
    const bytes = await reader.read(part.start, part.end - part.start, signal);
    checkLength(part, bytes.length);
    return bytes;
  } finally {
    await reader[Symbol.asyncDispose]();
  }
}

function checkLength({ node, start, end }: BlobPart, length: number): void {
  if (length !== end - start) throw wrongSize(node, start + length);
}

function wrongSize({ digest, size }: FileNode, actual: number): StoreError {
  return new StoreError(
    'corrupt',
    `the blob ${digest.toString()} has ${actual} bytes, but its file is said to have ${size}`,
  );
}

/** Puts small pieces together; a large one goes on as it is. */
class PieceBuffer {
  readonly #buffer: Uint8Array;
  #used = 0;

  constructor(size: number) {
    this.#buffer = new Uint8Array(size);
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** A large piece is better sent as it is, unless it has to be copied. */
  hasRoom(length: number, mustCopy = false): boolean {
    return (mustCopy || length < ownPieceSize) && this.#used + length <= this.#buffer.length;
  }

  /** False when there is no room; what is here goes before the bytes then. */
  put(bytes: Uint8Array, mustCopy = false): boolean {
    if (!this.hasRoom(bytes.length, mustCopy)) return false;
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    return true;
  }

  /** What is here, which is overwritten by the next `put`. */
  take(): Uint8Array {
    const piece = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    return piece;
  }
}
