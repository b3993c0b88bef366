/**
 * Reads the members of a zip archive, stored or deflated, zip64 too, from a file or from anything that can be read at
 * an offset. The list at the archive's end is read and judged as a whole before the first member is yielded:
 * encrypted members, compressions nobody uses any more, names that lead outside, names that come twice, and members
 * whose data overlap (how a small zip expands to petabytes) are refused by name. Checksums are verified.
 *
 * Names are bytes, those of the Unicode extra field where there is one. As in libarchive, a name of a DOS archive
 * that has backslashes only is one with slashes. A Unix mode, where the archive was made on Unix, says what is
 * executable and what is a symbolic link; a name that ends in a slash is a directory's.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { byteKey, concatBytes } from '@neve/bytes';
import type { Entry, Options, RandomAccessReader, ZipFile } from 'yauzl';
import {
  type ArchiveLimits,
  type ArchiveMember,
  type ArchivePath,
  defaultArchiveLimits,
  parseArchivePath,
  showArchivePath,
} from '../archive/archive-member.ts';
import { CastoreError } from '../castore-error.ts';
import { throughTransform } from './through-transform.ts';

/** Something that is read at an offset. Whoever made it closes it. */
export type RandomAccess = {
  readonly sizeBytes: number;
  /** The `length` bytes from `offset` on, in pieces. Both are in range. */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
};

const yauzlOptions: Options = {
  autoClose: false,
  lazyEntries: true,
  decodeStrings: false,
  validateEntrySizes: true,
};

/**
 * The members of a zip archive in the order of its list; directories only where the archive has them as members.
 * Throws `CastoreError`: `invalid-archive`, `unsupported`, `limit-exceeded`, `io`. Leaving the loop closes the file.
 */
export async function* readZip(
  source: string | RandomAccess,
  limits: ArchiveLimits = {},
): AsyncGenerator<ArchiveMember, void, void> {
  if (typeof source !== 'string') {
    yield* readMembers(source, { ...defaultArchiveLimits, ...limits });
    return;
  }
  const file = await openFile(source);
  try {
    const { size } = await file.stat();
    yield* readMembers(fileAccess(file, size), { ...defaultArchiveLimits, ...limits });
  } finally {
    await file.close();
  }
}

async function* readMembers(
  source: RandomAccess,
  limits: Required<ArchiveLimits>,
): AsyncGenerator<ArchiveMember, void, void> {
  const windowed = new WindowedAccess(source);
  const zip = await openZip(windowed, source.sizeBytes);
  let contents: ZipContents | undefined;
  try {
    const listed = await readList(zip, limits);
    checkOverlaps(listed, source.sizeBytes);
    for (const { entry, path } of listed) {
      contents = new ZipContents(windowed, entry, showArchivePath(path));
      yield await makeMember({ entry, path, contents, maxPathBytes: limits.maxPathBytes });
      contents.leave();
    }
  } finally {
    contents?.leave();
    zip.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    throw new CastoreError('io', `the zip archive '${path}' cannot be opened: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function fileAccess(file: FileHandle, sizeBytes: number): RandomAccess {
  return {
    sizeBytes,
    async *read(offset, length) {
      for (let done = 0; done < length;) {
        const buffer = new Uint8Array(Math.min(length - done, 1 << 16));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, offset + done);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
        done += bytesRead;
      }
    },
  };
}

async function openZip(source: WindowedAccess, sizeBytes: number): Promise<ZipFile> {
  const { default: yauzl } = await import('yauzl');
  const reader = adapt(source, new yauzl.RandomAccessReader());
  return new Promise((resolve, reject) => {
    yauzl.fromRandomAccessReader(reader, sizeBytes, yauzlOptions, (error, zip) => {
      if (error === null || error === undefined) resolve(zip);
      else reject(damaged(error));
    });
  });
}

/**
 * What yauzl, which reads the list only, asks for. It expects a subclass; an object with its methods replaced is the
 * same.
 */
function adapt(source: WindowedAccess, reader: RandomAccessReader): RandomAccessReader {
  reader.read = (...request) => {
    const [buffer, offset, length, position, done] = request;
    const fill = async (): Promise<number> => {
      buffer.set(await source.bytes(position, length), offset);
      return length;
    };
    // The caller throws in its callback only by mistake, which must not become a rejection that nobody sees.
    const answer = (error: Error | null, filled?: number): void => queueMicrotask(() => done(error, filled));
    fill().then(
      (filled) => answer(null, filled),
      (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
    );
  };
  reader.close = (done) => done();
  return reader;
}

/** Keeps what stands around the last small read, since the next is most often beside it. */
class WindowedAccess {
  readonly #source: RandomAccess;
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(source: RandomAccess) {
    this.#source = source;
  }

  async bytes(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - this.#start;
    if (at >= 0 && at + length <= this.#window.length) return this.#window.subarray(at, at + length);
    const rest = this.#source.sizeBytes - offset;
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#checked(offset, Math.max(length, Math.min(windowSize, rest))))
      pieces.push(piece);
    this.#window = concatBytes(pieces);
    this.#start = offset;
    if (this.#window.length < length) throw new Error('it is shorter than it was');
    return this.#window.subarray(0, length);
  }

  async *stream(offset: number, length: number): AsyncGenerator<Uint8Array, void, void> {
    if (length <= windowSize) yield await this.bytes(offset, length);
    else yield* this.#checked(offset, length);
  }

  /** Places come from the archive. */
  #checked(offset: number, length: number): AsyncIterable<Uint8Array> {
    if (offset >= 0 && offset + length <= this.#source.sizeBytes) return this.#source.read(offset, length);
    throw new Error('it refers to a place that it does not have');
  }
}

const windowSize = 1 << 17;

type Listed = { readonly entry: Entry; readonly path: ArchivePath };

/** All members, each acceptable and all within the limits. */
async function readList(zip: ZipFile, limits: Required<ArchiveLimits>): Promise<readonly Listed[]> {
  if (zip.entryCount > limits.maxMembers) {
    throw new CastoreError('limit-exceeded', `the archive has more than ${limits.maxMembers} members`);
  }
  const listed: Listed[] = [];
  const names = new Set<string>();
  let totalBytes = 0;
  for await (const entry of entriesOf(zip)) {
    const path = parseArchivePath(nameOf(entry), limits.maxPathBytes);
    const shown = showArchivePath(path);
    checkEntry(entry, shown);
    if (path.length === 0 && !isDirectory(entry))
      throw invalid(`the member ${shown} is a file and has no name`);
    // No component has a slash, so it can stand between them.
    const key = path.map(byteKey).join('/');
    if (names.has(key)) throw invalid(`the member ${shown} is in the zip archive twice`);
    names.add(key);
    totalBytes += entry.uncompressedSize;
    if (totalBytes > limits.maxTotalBytes) {
      throw new CastoreError(
        'limit-exceeded',
        `with ${shown} the contents of the archive exceed the ${limits.maxTotalBytes} bytes that are allowed`,
      );
    }
    listed.push({ entry, path });
  }
  return listed;
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry, void, void> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (action: () => void): void => {
        zip.removeAllListeners();
        zip.on('error', () => undefined);
        action();
      };
      zip.removeAllListeners('error');
      zip.once('entry', (it: Entry) => settle(() => resolve(it)));
      zip.once('end', () => settle(() => resolve(undefined)));
      zip.once('error', (error: Error) => settle(() => reject(damaged(error))));
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

/** Data of two members never share a byte in an honest archive. */
function checkOverlaps(listed: readonly Listed[], sizeBytes: number): void {
  const byOffset = [...listed].sort((a, b) => offsetOf(a) - offsetOf(b));
  byOffset.forEach((it, index) => {
    const end = offsetOf(it) + localHeaderLength + it.entry.compressedSize;
    const next = byOffset[index + 1];
    if (end > sizeBytes) throw invalid(`the zip archive ends in the contents of ${showArchivePath(it.path)}`);
    if (next === undefined || end <= offsetOf(next)) return;
    throw invalid(
      `the members ${showArchivePath(it.path)} and ${showArchivePath(next.path)} share their contents in the zip archive`,
    );
  });
}

function offsetOf({ entry }: Listed): number {
  return entry.relativeOffsetOfLocalHeader;
}

function checkEntry(entry: Entry, shown: string): void {
  if (entry.isEncrypted()) {
    throw new CastoreError('unsupported', `the member ${shown} of the zip archive is encrypted`);
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw new CastoreError(
      'unsupported',
      `the member ${shown} is compressed with method ${entry.compressionMethod}; only deflate can be read`,
    );
  }
  const type = unixMode(entry) & fileTypeMask;
  if (![0, regularFile, directory, symbolicLink].includes(type)) {
    throw new CastoreError('unsupported', `the member ${shown} is neither a file nor a directory nor a link`);
  }
}

const fileTypeMask = 0o170000;
const regularFile = 0o100000;
const directory = 0o040000;
const symbolicLink = 0o120000;

/** 0 where the archive was not made on Unix or macOS. */
function unixMode({ versionMadeBy, externalFileAttributes }: Entry): number {
  const host = versionMadeBy >>> 8;
  return host === 3 || host === 19 ? externalFileAttributes >>> 16 : 0;
}

function isDirectory(entry: Entry): boolean {
  const type = unixMode(entry) & fileTypeMask;
  return type === directory || (type !== symbolicLink && nameOf(entry).at(-1) === 0x2f);
}

function nameOf(entry: Entry): Uint8Array {
  const name = unicodeName(entry) ?? new Uint8Array(entry.fileName);
  const isDos = entry.versionMadeBy >>> 8 === 0;
  if (!isDos || name.includes(0x2f)) return name;
  return name.map((byte) => (byte === 0x5c ? 0x2f : byte));
}

/** Info-ZIP's field 0x7075: version 1, the checksum of the name that it replaces, the name as UTF-8. */
function unicodeName({ extraFields, fileName }: Entry): Uint8Array | undefined {
  const data = extraFields.find(({ id }) => id === 0x7075)?.data;
  if (data === undefined || data.length < 6 || data[0] !== 1 || data.readUInt32LE(1) !== crc32(fileName)) {
    return undefined;
  }
  return new Uint8Array(data.subarray(5));
}

/** The members of DOS have a local time, and it is taken for one of here. */
function modifiedSeconds(entry: Entry): { readonly modifiedSeconds?: number } {
  const seconds = Math.floor(entry.getLastModDate().getTime() / 1000);
  return Number.isFinite(seconds) ? { modifiedSeconds: seconds } : {};
}

async function makeMember(options: {
  readonly entry: Entry;
  readonly path: ArchivePath;
  readonly contents: ZipContents;
  readonly maxPathBytes: number;
}): Promise<ArchiveMember> {
  const { entry, path, contents, maxPathBytes } = options;
  const time = modifiedSeconds(entry);
  if (isDirectory(entry)) return { kind: 'directory', path, ...time };
  const mode = unixMode(entry);
  const sizeBytes = entry.uncompressedSize;
  if ((mode & fileTypeMask) !== symbolicLink) {
    return { kind: 'file', path, executable: (mode & 0o100) !== 0, sizeBytes, contents, ...time };
  }
  if (sizeBytes > maxPathBytes) {
    throw new CastoreError(
      'limit-exceeded',
      `the symbolic link ${showArchivePath(path)} has a too long target`,
    );
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of contents) pieces.push(piece);
  const target = concatBytes(pieces);
  if (target.length === 0 || target.includes(0)) {
    throw invalid(`the symbolic link ${showArchivePath(path)} has no target, or one with a NUL byte`);
  }
  return { kind: 'symlink', path, target, ...time };
}

/** A local header: `PK` 3 4, at 26 and 28 the lengths of name and extra field, which follow its 30 bytes. */
const localHeaderLength = 30;

/** What is inflated at once, on the spot. */
const smallSize = 1 << 16;

/** The contents of a file, once, and only until the next member is asked for. */
class ZipContents implements AsyncIterable<Uint8Array> {
  readonly #source: WindowedAccess;
  readonly #entry: Entry;
  readonly #member: string;
  #state: 'fresh' | 'open' | 'left' = 'fresh';

  constructor(source: WindowedAccess, entry: Entry, member: string) {
    this.#source = source;
    this.#entry = entry;
    this.#member = member;
  }

  leave(): void {
    this.#state = 'left';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#state !== 'fresh')
      throw new Error(`the contents of ${this.#member} can be read only once, and in turn`);
    this.#state = 'open';
    const { uncompressedSize, crc32: expected } = this.#entry;
    let checksum = 0;
    let length = 0;
    try {
      for await (const piece of this.#pieces()) {
        length += piece.length;
        if (length > uncompressedSize) break;
        checksum = crc32(piece, checksum);
        if (this.#isLeft())
          throw new Error(`the contents of ${this.#member} were read after the next member`);
        yield piece;
      }
    } catch (error) {
      throw damaged(error, this.#member);
    }
    if (length === uncompressedSize && checksum === expected) return;
    throw invalid(
      `the contents of ${this.#member} in the zip archive are damaged: their checksum or length is wrong`,
    );
  }

  #isLeft(): boolean {
    return this.#state === 'left';
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    const { relativeOffsetOfLocalHeader, compressedSize, compressionMethod, uncompressedSize } = this.#entry;
    const header = await this.#source.bytes(relativeOffsetOfLocalHeader, localHeaderLength);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    if (view.getUint32(0, true) !== 0x04034b50)
      throw new Error('something else stands where its header should be');
    const skipped = localHeaderLength + view.getUint16(26, true) + view.getUint16(28, true);
    const start = relativeOffsetOfLocalHeader + skipped;
    if (compressionMethod === 0) yield* this.#source.stream(start, compressedSize);
    else if (compressedSize <= smallSize && uncompressedSize <= smallSize) {
      const bytes = await this.#source.bytes(start, compressedSize);
      yield inflateRawSync(bytes, { maxOutputLength: uncompressedSize + 1 });
    } else {
      yield* throughTransform(
        this.#source.stream(start, compressedSize),
        createInflateRaw({ chunkSize: smallSize }),
      );
    }
  }
}

function damaged(error: unknown, member?: string): CastoreError {
  if (error instanceof CastoreError) return error;
  const where = member === undefined ? '' : ` at ${member}`;
  return new CastoreError(
    'invalid-archive',
    `the zip archive is cut off or damaged${where}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-archive', message);
}
