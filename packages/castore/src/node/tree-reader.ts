/**
 * Reads a tree of the file system into batches of records (`tree-batch.ts`), hashing the contents of files on the way. It is
 * synchronous, because for small files that costs a fraction of asynchronous reading; it runs in a thread of its own where
 * the program has one for it (`tree-reader-thread.ts`).
 *
 * Symbolic links are not followed, also not those that take the place of a file while the tree is read.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { B3Digest } from '../b3-digest.ts';
import { CastoreError } from '../castore-error.ts';
import type { IngestionEntry } from '../ingestion-entry.ts';
import type { Blake3 } from './blake3.ts';
import type { FileCache } from './file-cache.ts';
import { type TreeBatch, TreeBatchWriter } from './tree-batch.ts';

export type TreeReaderOptions = {
  readonly blake3: Blake3;
  readonly cache?: FileCache | undefined;
  /** Gives a buffer of `batchBytes` for the next batch. */
  readonly nextBuffer: () => Uint8Array;
  /** Whether what has these names from the root on is taken. */
  readonly filter?: ((names: readonly Uint8Array[], kind: FoundKind) => boolean) | undefined;
};

/** What is neither file, directory nor symbolic link is `unknown`. */
export type FoundKind = IngestionEntry['kind'] | 'unknown';

/** To hand over a batch costs a fraction of a millisecond where the other thread has to be woken. */
export const batchBytes: number = 1 << 21;

/** Files up to this size are one record. */
const smallFile = 1 << 18;
const digestLength = 32;

/** Large files are read and hashed in steps, so that what was read is still in the processor's cache when it is hashed. */
const maxStep = 1 << 18;
const minStep = 1 << 16;

/** A piece of zeroes is not longer. */
export const maxZeroes: number = 1 << 20;

/** A link that took the place of the file meanwhile is not followed; a pipe does not block. */
export const openFlags: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const zeroes = Buffer.alloc(maxStep);
const slash = Buffer.from('/');

/** Throws `CastoreError`: `io` for what cannot be read, `unsupported` for what is no file, directory or link. */
export function readTree(root: Buffer, options: TreeReaderOptions): Generator<TreeBatch, void, void> {
  return new TreeReader(options).read(root);
}

/** A directory whose entries are being read. */
type OpenDirectory = { readonly host: Buffer; readonly entries: readonly Dirent<Buffer>[]; next: number };

class TreeReader {
  readonly #options: TreeReaderOptions;
  #batch: TreeBatchWriter;
  /** Whether the last file was in the cache: then it is worth to look there before a file is opened. */
  #isCached = true;

  constructor(options: TreeReaderOptions) {
    this.#options = options;
    this.#batch = this.#newBatch();
  }

  *read(root: Buffer): Generator<TreeBatch, void, void> {
    const open: OpenDirectory[] = [];
    const names: Uint8Array[] = [];
    const kind = kindOfStats(attempt(root, () => lstatSync(root)));
    yield* this.#visit({ host: root, name: noName, kind: requireKnown(root, kind) }, open);
    for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
      const entry = directory.entries[directory.next++];
      if (entry === undefined) {
        open.pop();
        names.pop();
        if (!this.#batch.fits(0)) yield* this.#flush();
        this.#batch.add('end', {});
        continue;
      }
      const host = Buffer.concat([directory.host, slash, entry.name]);
      const found = kindOfEntry(host, entry);
      names.push(entry.name);
      if (this.#options.filter?.(names, found) !== false) {
        yield* this.#visit({ host, name: entry.name, kind: requireKnown(host, found) }, open);
        // The names of an open directory stay until it ends.
        if (found === 'directory') continue;
      }
      names.pop();
    }
    if (!this.#batch.isEmpty) yield this.#batch.finish();
  }

  *#visit(place: Place, open: OpenDirectory[]): Generator<TreeBatch, void, void> {
    const { host, name, kind } = place;
    if (kind === 'file') {
      yield* this.#readFile(place);
      return;
    }
    const target = kind === 'symlink' ? attempt(host, () => readlinkSync(host, 'buffer')) : undefined;
    if (!this.#batch.fits(name.length + (target?.length ?? 0))) yield* this.#flush();
    if (target !== undefined) this.#batch.add('symlink', { name, data: target });
    else {
      const entries = attempt(host, () => readdirSync(host, { withFileTypes: true, encoding: 'buffer' }));
      entries.sort((a, b) => Buffer.compare(a.name, b.name));
      open.push({ host, entries, next: 0 });
      this.#batch.add('directory', { name });
    }
  }

  *#readFile(place: Place): Generator<TreeBatch, void, void> {
    const { host } = place;
    if (this.#options.cache !== undefined && this.#isCached) {
      const stats = attempt(host, () => lstatSync(host));
      if (stats.isFile() && (yield* this.#addKnown(place, stats))) return;
    }
    const startedMs = this.#options.cache === undefined ? 0 : Date.now();
    const file = attempt(host, () => openSync(host, openFlags));
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw Object.assign(new Error('it is no file any more'), { code: 'ESTALE' });
      if (!this.#isCached && (yield* this.#addKnown(place, stats))) return;
      this.#isCached = false;
      const { digest, size } =
        stats.size > smallFile
          ? yield* this.#readLarge(place, { file, stats })
          : yield* this.#readSmall(place, { file, stats });
      this.#options.cache?.set(
        { stats, startedMs },
        { digest: new B3Digest(digest), size, executable: isExecutable(stats) },
      );
    } catch (cause) {
      throw ioError(host, cause);
    } finally {
      closeSync(file);
    }
  }

  *#addKnown({ name }: Place, stats: Stats): Generator<TreeBatch, boolean, void> {
    const known = this.#options.cache?.get(stats);
    this.#isCached = known !== undefined;
    if (known === undefined) return false;
    if (!this.#batch.fits(name.length + digestLength)) yield* this.#flush();
    const { digest, size, executable } = known;
    this.#batch.add('known', { name, data: digest.bytes, size, executable });
    return true;
  }

  /** One byte more than there should be is asked for: when it is not there, the file ended. */
  *#readSmall(place: Place, { file, stats }: OpenFile): Generator<TreeBatch, KnownContents, void> {
    const { name } = place;
    if (!this.#batch.fits(name.length + digestLength + stats.size + 1)) yield* this.#flush();
    const reserved = this.#batch.free(name.length + digestLength).subarray(0, stats.size + 1);
    const size = readSync(file, reserved, 0, reserved.length, 0);
    // It grew meanwhile.
    if (size > stats.size) return yield* this.#readLarge(place, { file, stats });
    const digest = this.#options.blake3.hashBytes(reserved.subarray(0, size));
    this.#batch.free(name.length).set(digest);
    this.#batch.add('file', { name, dataLength: digestLength + size, size, executable: isExecutable(stats) });
    return { digest, size };
  }

  *#readLarge({ name }: Place, { file, stats }: OpenFile): Generator<TreeBatch, KnownContents, void> {
    const hasher = this.#options.blake3.createHasher();
    if (!this.#batch.fits(name.length)) yield* this.#flush();
    this.#batch.add('large', { name, size: stats.size, executable: isExecutable(stats) });
    let size = 0;
    // What is read of the next piece; zeroes are not kept.
    let piece: Piece = { size: 0, dataLength: 0 };
    while (true) {
      if (!this.#batch.fits(piece.dataLength + minStep)) {
        this.#addPiece(piece);
        piece = { size: 0, dataLength: 0 };
        yield* this.#flush();
      }
      const step = this.#batch.free(piece.dataLength).subarray(0, maxStep);
      const count = readSync(file, step, 0, step.length, size);
      if (count === 0) break;
      hasher.update(step.subarray(0, count));
      size += count;
      const dataLength = zeroes.compare(step, 0, count, 0, count) === 0 ? 0 : count;
      if (!goesWith(piece, dataLength)) {
        this.#addPiece(piece);
        piece = { size: 0, dataLength: 0 };
      }
      piece = { size: piece.size + count, dataLength: piece.dataLength + dataLength };
    }
    this.#addPiece(piece);
    const digest = hasher.digest();
    if (!this.#batch.fits(digestLength)) yield* this.#flush();
    this.#batch.add('close', { data: digest, size });
    return { digest, size };
  }

  #addPiece(piece: Piece): void {
    if (piece.size > 0) this.#batch.add('piece', piece);
  }

  *#flush(): Generator<TreeBatch, void, void> {
    const batch = this.#batch.finish();
    yield batch;
    this.#batch = this.#newBatch();
  }

  #newBatch(): TreeBatchWriter {
    return new TreeBatchWriter(this.#options.nextBuffer());
  }
}

type Place = { readonly host: Buffer; readonly name: Uint8Array; readonly kind: IngestionEntry['kind'] };
type OpenFile = { readonly file: number; readonly stats: Stats };
/** Of a large file: data, or zeroes without any. */
type Piece = { readonly size: number; readonly dataLength: number };

/** Whether `piece` may go on with so many bytes of data, or with zeroes. */
function goesWith(piece: Piece, dataLength: number): boolean {
  if (piece.size === 0) return true;
  return dataLength > 0 ? piece.dataLength > 0 : piece.dataLength === 0 && piece.size + maxStep <= maxZeroes;
}

type KnownContents = { readonly digest: Uint8Array; readonly size: number };

const noName = new Uint8Array();

function isExecutable(stats: Stats): boolean {
  return (stats.mode & 0o100) !== 0;
}

function kindOfStats(stats: Stats): FoundKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'unknown';
}

/** The file system may leave it to `lstat` to say what an entry is. */
function kindOfEntry(host: Buffer, entry: Dirent<Buffer>): FoundKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  return kindOfStats(attempt(host, () => lstatSync(host)));
}

/** What is none of these is refused by name. */
function requireKnown(host: Buffer, kind: FoundKind): IngestionEntry['kind'] {
  if (kind !== 'unknown') return kind;
  const stats = attempt(host, () => lstatSync(host));
  const what = stats.isSocket()
    ? 'a socket'
    : stats.isFIFO()
      ? 'a named pipe'
      : stats.isBlockDevice()
        ? 'a block device'
        : 'a character device';
  throw new CastoreError(
    'unsupported',
    `'${showHost(host)}' is ${what}; only files, directories and symbolic links can be stored`,
  );
}

function attempt<T>(host: Buffer, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw ioError(host, cause);
  }
}

function ioError(host: Buffer, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause) || cause instanceof CastoreError) return cause;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'it does not exist',
    EACCES: 'permission denied',
    ENOTDIR: 'a component of the path is not a directory',
    ENAMETOOLONG: 'its path is longer than the system allows; move the tree to a shorter one',
    ELOOP: 'it became a symbolic link while it was read',
  };
  const reason = reasons[String(cause.code)] ?? cause.message;
  return new CastoreError('io', `cannot read '${showHost(host)}': ${reason}`, { cause });
}

function showHost(host: Buffer): string {
  return isUtf8(host) ? host.toString() : `${host.toString()} (${host.toString('latin1')} in Latin-1)`;
}
