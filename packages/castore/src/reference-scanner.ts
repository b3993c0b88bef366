/**
 * Looks for many byte strings (needles) in streams, all in one pass: how the outputs of a build refer to other things by
 * parts of their names.
 *
 * The search is that of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994). A window has the length of the
 * shortest needle, and only its last four bytes are looked at: a table says, by their hash, how far they are from the end
 * of the nearest needle that contains them, and the window moves on so far; most often by its whole length. Where the
 * distance is zero the needles which end so are compared. Four bytes with the same hash as others only make a step shorter.
 *
 * A stream keeps as many bytes as a needle can have before the border of two pieces. Where a match is does not matter, and
 * nor does how often it is found.
 */
import type { BlobService } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import type { DirectoryService } from './directory-service.ts';
import type { FileNode, Node } from './node.ts';

/** Shorter needles would be found by chance. */
export const minNeedleLength = 8;

/** At the end of a window, which are looked at together. */
const blockBytes = 4;

const maxConcurrentBlobs = 8;

/** The needles and which of them were found, in any of the streams. */
export class ReferenceScanner {
  readonly #tables: Tables;
  readonly #found: Uint8Array;
  #missing: number;

  /** Needles of any lengths from `minNeedleLength` on, which must not change. Throws `CastoreError` (`unsupported`). */
  constructor(needles: readonly Uint8Array[]) {
    for (const needle of needles) {
      if (needle.length >= minNeedleLength) continue;
      const problem = `a needle of ${needle.length} bytes is too short to be searched for`;
      throw new CastoreError('unsupported', `${problem}: it needs ${minNeedleLength} at least`);
    }
    this.#tables = buildTables(needles);
    this.#found = new Uint8Array(needles.length);
    this.#missing = needles.length;
  }

  /** The indices of the needles that were found, in ascending order. */
  get found(): readonly number[] {
    const indices: number[] = [];
    for (const [index, isFound] of this.#found.entries()) {
      if (isFound === 1) indices.push(index);
    }
    return indices;
  }

  has(index: number): boolean {
    return this.#found[index] === 1;
  }

  /** Whether there is nothing left to look for. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** Begins a stream. Several may be open at the same time; what is found in one is not across the border to another. */
  begin(): ReferenceStream {
    return new ReferenceStream(this, this.#tables.longest - 1);
  }

  /** Scans bytes that are a stream of their own. */
  scan(bytes: Uint8Array): void {
    const { shifts, hashShift, shortest, heads } = this.#tables;
    if (this.#missing === 0 || bytes.length < shortest) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = bytes.length - blockBytes;
    // `at` is where the last block of the window begins.
    let at = shortest - blockBytes;
    while (at <= last) {
      const hash = Math.imul(view.getUint32(at, true), hashFactor) >>> hashShift;
      const shift = shifts[hash] ?? 0;
      at += shift;
      if (shift > 0) continue;
      this.#compare(bytes, at + blockBytes - shortest, heads[hash] ?? -1);
      if (this.#missing === 0) return;
      at++;
    }
  }

  /** Compares the chain of needles which begins with `index` with the bytes from `start` on. */
  #compare(bytes: Uint8Array, start: number, index: number): void {
    const { needles, next } = this.#tables;
    for (let it = index; it >= 0; it = next[it] ?? -1) {
      const needle = needles[it];
      if (needle === undefined || this.#found[it] === 1 || !isAt(needle, bytes, start)) continue;
      this.#found[it] = 1;
      this.#missing--;
    }
  }
}

/** One stream of a scanner. */
export class ReferenceStream {
  readonly #scanner: ReferenceScanner;
  /** As many of the last bytes as a needle may have before a border. */
  readonly #kept: number;
  #tail: Uint8Array = new Uint8Array(0);

  constructor(scanner: ReferenceScanner, kept: number) {
    this.#scanner = scanner;
    this.#kept = Math.max(kept, 0);
  }

  /** Scans the next piece; the bytes are the caller's again afterwards. */
  scan(bytes: Uint8Array): void {
    if (this.#scanner.isComplete || bytes.length === 0) return;
    const tail = this.#tail;
    const joined = new Uint8Array(tail.length + Math.min(bytes.length, this.#kept));
    joined.set(tail);
    joined.set(bytes.subarray(0, this.#kept), tail.length);
    if (tail.length > 0) this.#scanner.scan(joined);
    this.#scanner.scan(bytes);
    const isShort = bytes.length < this.#kept;
    this.#tail = isShort ? joined.slice(-this.#kept) : bytes.slice(bytes.length - this.#kept);
  }
}

export type ScanServices = { readonly blobs: BlobService; readonly directories: DirectoryService };

/**
 * Scans all that a node consists of: contents of files, targets of symbolic links and names; each blob and each directory
 * once. Ends early when all needles are found. Throws `CastoreError`: `not-found` when something is missing, and what the
 * services throw.
 */
export async function scanNode(
  node: Node,
  scanner: ReferenceScanner,
  services: ScanServices & { readonly signal?: AbortSignal },
): Promise<void> {
  const { signal } = services;
  const running = new Set<Promise<void>>();
  // One that has failed is no longer running, and must not be forgotten.
  const failures: unknown[] = [];
  const seen = new Set<string>();
  try {
    for await (const file of scanTree(node, scanner, services)) {
      if (scanner.isComplete || failures.length > 0) break;
      if (seen.has(file.digest.key)) continue;
      seen.add(file.digest.key);
      while (running.size >= maxConcurrentBlobs) await Promise.race(running);
      const scanned = scanBlob(file, scanner, services)
        .catch((failure: unknown) => void failures.push(failure))
        .finally(() => running.delete(scanned));
      running.add(scanned);
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}

/** Scans names and targets, and gives the files. */
async function* scanTree(
  node: Node,
  scanner: ReferenceScanner,
  { directories, signal }: ScanServices & { readonly signal?: AbortSignal },
): AsyncGenerator<FileNode, void, void> {
  if (node.kind === 'file') yield node;
  if (node.kind === 'symlink') scanner.scan(node.target.bytes);
  if (node.kind !== 'directory') return;
  let isThere = false;
  for await (const directory of directories.closure(node.digest, signal)) {
    isThere = true;
    for (const { name, node: child } of directory.entries) {
      scanner.scan(name.bytes);
      if (child.kind === 'symlink') scanner.scan(child.target.bytes);
      if (child.kind === 'file') yield child;
    }
  }
  if (!isThere) {
    throw new CastoreError(
      'not-found',
      `the directory ${node.digest.toString()} to scan is not in the store`,
    );
  }
}

async function scanBlob(
  { digest, size }: FileNode,
  scanner: ReferenceScanner,
  { blobs, signal }: ScanServices & { readonly signal?: AbortSignal },
): Promise<void> {
  if (size < minNeedleLength) return;
  await using reader = await blobs.open(digest, signal);
  if (reader === undefined) {
    throw new CastoreError('not-found', `the blob ${digest.toString()} to scan is not in the store`);
  }
  const stream = scanner.begin();
  for await (const piece of reader.stream({}, signal)) {
    stream.scan(piece);
    if (scanner.isComplete) return;
  }
}

/** 2^32 divided by the golden ratio: neighbouring numbers get hashes that are far apart. */
const hashFactor = 0x9e37_79b1;

type Tables = {
  readonly needles: readonly Uint8Array[];
  readonly shortest: number;
  readonly longest: number;
  /** A hash has 32 bits less this many. */
  readonly hashShift: number;
  /** By hash: how far the window may move. */
  readonly shifts: Uint8Array;
  /** By hash: the first of the needles whose window ends with such a block, or -1. */
  readonly heads: Int32Array;
  /** By needle: the next one in the same chain, or -1. */
  readonly next: Int32Array;
};

function buildTables(needles: readonly Uint8Array[]): Tables {
  const lengths = needles.map((it) => it.length);
  // A window longer than a byte can say is not worth having.
  const shortest = Math.min(255, ...lengths);
  const blocks = needles.length * (shortest - blockBytes + 1);
  // Eight places for a block, within what a processor keeps near.
  const bits = Math.min(Math.max(Math.ceil(Math.log2(Math.max(blocks, 1))) + 3, 12), 20);
  const hashShift = 32 - bits;
  const shifts = new Uint8Array(2 ** bits).fill(shortest - blockBytes + 1);
  const heads = new Int32Array(2 ** bits).fill(-1);
  const next = new Int32Array(needles.length).fill(-1);
  for (const [index, needle] of needles.entries()) {
    const view = new DataView(needle.buffer, needle.byteOffset, needle.byteLength);
    for (let at = 0; at + blockBytes <= shortest; at++) {
      const hash = Math.imul(view.getUint32(at, true), hashFactor) >>> hashShift;
      const distance = shortest - blockBytes - at;
      shifts[hash] = Math.min(shifts[hash] ?? 0, distance);
      if (distance > 0) continue;
      next[index] = heads[hash] ?? -1;
      heads[hash] = index;
    }
  }
  return { needles, shortest, longest: Math.max(0, ...lengths), hashShift, shifts, heads, next };
}

function isAt(needle: Uint8Array, bytes: Uint8Array, start: number): boolean {
  if (start + needle.length > bytes.length) return false;
  for (let at = 0; at < needle.length; at++) {
    if (needle[at] !== bytes[start + at]) return false;
  }
  return true;
}
