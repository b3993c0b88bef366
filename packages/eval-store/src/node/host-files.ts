/**
 * Files of the machine, read synchronously. What a path is and what a directory holds is asked of the system once and
 * remembered: an evaluation sees one state of the world, and asks for the same parents again and again.
 *
 * Paths under the store directory are looked up where the store physically is.
 */
import * as fs from 'node:fs';
import { byteKey, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { EvalIOError, type DirectoryEntry, type FileType } from '@neve/eval';
import { errorCode, ioError, isMissing } from './io-errors.ts';

/** What `lstat` says, as far as anybody asks. */
export type FileStatus = {
  readonly type: FileType;
  readonly sizeBytes: number;
  readonly signature: FileSignature;
};

/** dev, ino, size, mtime and ctime in ms, mode: while they are the same, so is the file, as far as clocks tell. */
export type FileSignature = readonly [number, number, number, number, number, number];

type OpenedFile = { readonly sizeBytes: number; readonly executable: boolean };

/** Hears of a file's size and mode, and then its contents. */
export interface FileSink {
  start(sizeBytes: number, executable: boolean): void;
  chunk(bytes: Uint8Array): void;
}

/** The longest file that is read in one piece: what a signed 32-bit length can say. */
const maxFileSize = 2 ** 31 - 1;
const chunkSize = 1 << 18;

export class HostFiles {
  readonly #statuses = new Map<string, FileStatus | undefined>();
  readonly #directories = new Map<string, readonly DirectoryEntry[]>();
  readonly #storeDir: Buffer;
  readonly #physicalStoreDir: Buffer | undefined;
  #chunk: Buffer | undefined;

  constructor(storeDir: string, physicalStoreDir: string) {
    this.#storeDir = Buffer.from(storeDir);
    this.#physicalStoreDir = storeDir === physicalStoreDir ? undefined : Buffer.from(physicalStoreDir);
  }

  /** `undefined` when nothing is there. */
  status(path: Uint8Array): FileStatus | undefined {
    const key = byteKey(path);
    const known = this.#statuses.get(key);
    if (known !== undefined || this.#statuses.has(key)) return known;
    const status = this.#lstat(path);
    this.#statuses.set(key, status);
    return status;
  }

  /** What is remembered of a path, by its `byteKey`. */
  signatureOf(key: string): FileSignature | undefined {
    return this.#statuses.get(key)?.signature;
  }

  /**
   * A whole file, as long as its status says: a device or a file of `/proc`, whose size is 0, is empty, as it is to
   * Nix. Follows symlinks.
   */
  read(path: Uint8Array): Uint8Array {
    return this.#withFile(path, (file, { sizeBytes }) => {
      if (sizeBytes > maxFileSize) {
        const message = `file '${decodeUtf8(path)}' is too large to be read (${sizeBytes} bytes)`;
        throw new EvalIOError('too-large', message, { path });
      }
      const contents = Buffer.allocUnsafeSlow(sizeBytes);
      for (let used = 0; used < sizeBytes;) {
        const count = fs.readSync(file, contents, used, sizeBytes - used, null);
        if (count === 0) throw truncated(path);
        used += count;
      }
      return contents;
    });
  }

  /** As `read`; what `use` gets is valid only during the call. */
  withContents<T>(path: Uint8Array, use: (contents: Uint8Array) => T): T {
    const status = this.#smallFile(path);
    return use((status && this.#readAsKnown(path, status.sizeBytes)) ?? this.read(path));
  }

  /** A file in pieces; each is valid only during the call. */
  stream(path: Uint8Array, sink: FileSink): void {
    const status = this.#smallFile(path);
    const contents = status && this.#readAsKnown(path, status.sizeBytes);
    if (status !== undefined && contents !== undefined) {
      sink.start(status.sizeBytes, status.type === 'executable');
      sink.chunk(contents);
      return;
    }
    this.#withFile(path, (file, { sizeBytes, executable }) => {
      sink.start(sizeBytes, executable);
      const buffer = this.#chunkBuffer();
      for (let left = sizeBytes; left > 0;) {
        const count = fs.readSync(file, buffer, 0, Math.min(left, chunkSize), null);
        if (count === 0) throw truncated(path);
        sink.chunk(buffer.subarray(0, count));
        left -= count;
      }
    });
  }

  list(path: Uint8Array): readonly DirectoryEntry[] {
    const key = byteKey(path);
    const known = this.#directories.get(key);
    if (known !== undefined) return known;
    const entries = this.#readdir(path);
    this.#directories.set(key, entries);
    return entries;
  }

  readLink(path: Uint8Array): Uint8Array {
    try {
      return fs.readlinkSync(this.#physical(path), { encoding: 'buffer' });
    } catch (error) {
      if (errorCode(error) !== 'EINVAL') throw ioError(error, 'readlink', path);
      throw new EvalIOError('not-a-symlink', `path '${decodeUtf8(path)}' is not a symlink`, {
        path,
        cause: error,
      });
    }
  }

  /** Forgets what was remembered of a path, because it was just made. */
  forget(path: string): void {
    this.#statuses.delete(byteKey(encodeUtf8(path)));
  }

  #lstat(path: Uint8Array): FileStatus | undefined {
    try {
      const stats = fs.lstatSync(this.#physical(path), { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      const { dev, ino, size, mtimeMs, ctimeMs, mode } = stats;
      return { type: typeOfMode(mode), sizeBytes: size, signature: [dev, ino, size, mtimeMs, ctimeMs, mode] };
    } catch (error) {
      if (isMissing(errorCode(error))) return undefined;
      throw ioError(error, 'lstat', path);
    }
  }

  #readdir(path: Uint8Array): readonly DirectoryEntry[] {
    try {
      const entries = fs.readdirSync(this.#physical(path), { encoding: 'buffer', withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, type: typeOfEntry(entry) }));
    } catch (error) {
      if (errorCode(error) === 'ENOTDIR' && this.status(path) !== undefined) {
        const message = `cannot read directory "${decodeUtf8(path)}": Not a directory`;
        throw new EvalIOError('not-a-directory', message, { path, cause: error });
      }
      throw ioError(error, 'list', path);
    }
  }

  /** What is remembered of a plain file that fits into the chunk buffer. */
  #smallFile(path: Uint8Array): FileStatus | undefined {
    const status = this.#statuses.get(byteKey(path));
    if (status === undefined || status.sizeBytes >= chunkSize) return undefined;
    return status.type === 'regular' || status.type === 'executable' ? status : undefined;
  }

  /**
   * The contents of a file in the chunk buffer, if its length is still what is remembered: then nothing needs to be
   * asked but to read. One byte more is asked for than there should be, so that a file that has grown is noticed.
   */
  #readAsKnown(path: Uint8Array, sizeBytes: number): Uint8Array | undefined {
    const file = this.#open(path);
    try {
      const buffer = this.#chunkBuffer();
      const count = fs.readSync(file, buffer, 0, sizeBytes + 1, null);
      return count === sizeBytes ? buffer.subarray(0, count) : undefined;
    } catch (error) {
      throw ioError(error, 'read', path);
    } finally {
      fs.closeSync(file);
    }
  }

  #chunkBuffer(): Buffer {
    this.#chunk ??= Buffer.allocUnsafeSlow(chunkSize);
    return this.#chunk;
  }

  /** Opens a file without waiting for the other end of a fifo. */
  #open(path: Uint8Array): number {
    try {
      return fs.openSync(this.#physical(path), openFlags);
    } catch (error) {
      throw ioError(error, 'open', path);
    }
  }

  /** Opens a file, and closes it whatever happens. */
  #withFile<T>(path: Uint8Array, use: (file: number, opened: OpenedFile) => T): T {
    const file = this.#open(path);
    try {
      const stats = fs.fstatSync(file);
      if (stats.isDirectory()) throw isDirectory(path, stats.size);
      return use(file, { sizeBytes: stats.size, executable: typeOfMode(stats.mode) === 'executable' });
    } catch (error) {
      throw error instanceof EvalIOError ? error : ioError(error, 'read', path);
    } finally {
      fs.closeSync(file);
    }
  }

  #physical(path: Uint8Array): Buffer {
    const bytes = asBuffer(path);
    if (this.#physicalStoreDir === undefined) return bytes;
    const { length } = this.#storeDir;
    const inside = bytes.length === length || bytes[length] === slash;
    if (!inside || this.#storeDir.compare(bytes, 0, length) !== 0) return bytes;
    return Buffer.concat([this.#physicalStoreDir, bytes.subarray(length)]);
  }
}

const slash = 0x2f;
const openFlags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function typeOfMode(mode: number): FileType {
  switch (mode & fs.constants.S_IFMT) {
    case fs.constants.S_IFREG:
      return (mode & fs.constants.S_IXUSR) === 0 ? 'regular' : 'executable';
    case fs.constants.S_IFDIR:
      return 'directory';
    case fs.constants.S_IFLNK:
      return 'symlink';
    default:
      return 'unknown';
  }
}

function typeOfEntry(entry: fs.Dirent<Buffer>): DirectoryEntry['type'] {
  if (entry.isFile()) return 'regular';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'unknown';
}

/** Nix finds out when it reads, in pieces of at most 64 KiB. */
function isDirectory(path: Uint8Array, sizeBytes: number): EvalIOError {
  const message = `read of ${Math.min(sizeBytes, 65_536)} bytes: Is a directory`;
  return new EvalIOError('is-directory', message, { path });
}

function truncated(path: Uint8Array): EvalIOError {
  return new EvalIOError('io-error', `file '${decodeUtf8(path)}' became shorter while it was read`, { path });
}
