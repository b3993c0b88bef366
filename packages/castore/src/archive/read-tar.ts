/**
 * Reads a tar archive as a stream: v7, ustar, pax and GNU, sparse files in all their notations (`sparse-map.ts`).
 *
 *     archive = (extension* header data)* [zero block] anything
 *
 * An extension is a member of its own that says more about the one after it: a long name or link (types L and K of
 * GNU) or records of pax (x for one member, g for all that follow; the one for the member is stronger). Data are
 * padded to whole blocks. As in libarchive, which Nix uses, one zero block ends the archive and so does its end
 * without any; what stands behind is ignored, but read, so that a compressor's checksum is looked at. A member that
 * is cut off, its padding included, is an error.
 *
 * Refused by name: devices, pipes, volumes of a split archive, types nobody knows. Data at a symbolic link, which
 * every program reads differently, are refused too; so are data at a hard link, except that GNU and v7 archives write
 * a size there and mean nothing by it. A file whose name ends in a slash is a directory, as everywhere.
 */
import { CastoreError } from '../castore-error.ts';
import {
  type ArchiveLimits,
  type ArchiveMember,
  type ArchivePath,
  defaultArchiveLimits,
  parseArchivePath,
  showArchivePath,
  showName,
} from './archive-member.ts';
import { ByteSource } from './byte-source.ts';
import { type PaxRecord, parsePaxNumber, parsePaxRecords, parsePaxTime } from './pax-records.ts';
import { type SparseMap, checkSparseMap, parsePaxMap, readOldGnuMap, readPaxMap } from './sparse-map.ts';
import { TarContents } from './tar-contents.ts';
import { type TarHeader, blockSize, isZeroBlock, parseTarHeader } from './tar-header.ts';

/**
 * The members of a tar archive. Throws `CastoreError`: `invalid-archive`, `unsupported`, `limit-exceeded`. What the
 * source throws goes through. Leaving the loop lets the source go.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: ArchiveLimits = {},
): AsyncGenerator<ArchiveMember, void, void> {
  const input = new ByteSource(source);
  const reader = new TarReader(input, { ...defaultArchiveLimits, ...limits });
  try {
    for (;;) {
      const member = await reader.next();
      if (member === undefined) return;
      yield member;
    }
  } finally {
    reader.leaveMember();
    await input.close();
  }
}

/** What the extensions in front of a member say about it. */
type Extensions = {
  readonly pax: Map<string, Uint8Array>;
  /** Of pax 0.0. */
  readonly sparseParts: number[];
  longName: Uint8Array | undefined;
  longLink: Uint8Array | undefined;
  /** As pax has it. */
  time: Uint8Array | undefined;
  usedBytes: number;
};

class TarReader {
  readonly #input: ByteSource;
  readonly #limits: Required<ArchiveLimits>;
  readonly #globalPax = new Map<string, Uint8Array>();
  #contents: TarContents | undefined;
  #unreadBytes = 0;
  #members = 0;
  #totalBytes = 0;

  constructor(input: ByteSource, limits: Required<ArchiveLimits>) {
    this.#input = input;
    this.#limits = limits;
  }

  /** From now on the contents of the last member cannot be read. */
  leaveMember(): void {
    if (this.#contents !== undefined) this.#unreadBytes += this.#contents.leave();
    this.#contents = undefined;
  }

  async next(): Promise<ArchiveMember | undefined> {
    await this.#finishMember();
    let extensions: Extensions | undefined;
    for (;;) {
      const block = this.#input.take(blockSize) ?? (await this.#input.read(blockSize));
      if (block.length === 0 || (block[0] === 0 && block.length === blockSize && isZeroBlock(block))) {
        if (extensions !== undefined) throw invalid('the tar archive ends where a member is announced');
        await this.#readTrailer();
        return undefined;
      }
      if (block.length < blockSize) throw invalid('the tar archive ends in the middle of a header');
      const header = parseTarHeader(block);
      if (!isExtension(header.type)) return this.#member(header, block, extensions ?? noExtensions());
      // The global records of an archive without members are no announcement.
      if (header.type === 'g') this.#addGlobal(await this.#readExtension(header, 0));
      else if (header.type === 'V') await this.#skipData(header.sizeBytes, 'the label of the archive');
      else extensions = await this.#addExtension(header, extensions ?? noExtensions());
    }
  }

  async #finishMember(): Promise<void> {
    const contents = this.#contents;
    this.leaveMember();
    const length = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (length === 0 || this.#input.take(length) !== undefined) return;
    if (!(await this.#input.skip(length))) {
      throw invalid(`the tar archive ends in the contents of ${contents?.member ?? 'its last member'}`);
    }
  }

  async #readTrailer(): Promise<void> {
    for await (const part of this.#input.rest()) this.#countBytes(part.length, 'what follows the archive');
  }

  async #addExtension(header: TarHeader, extensions: Extensions): Promise<Extensions> {
    const bytes = await this.#readExtension(header, extensions.usedBytes);
    extensions.usedBytes += bytes.length + blockSize;
    if (header.type === 'L') extensions.longName = untilNul(bytes);
    else if (header.type === 'K') extensions.longLink = untilNul(bytes);
    else for (const record of parsePaxRecords(bytes)) addRecord(record, extensions);
    return extensions;
  }

  #addGlobal(bytes: Uint8Array): void {
    for (const { keyword, value } of parsePaxRecords(bytes)) {
      if (globalKeywords.has(keyword)) this.#globalPax.set(keyword, value);
    }
  }

  async #readExtension({ type, sizeBytes }: TarHeader, usedBytes: number): Promise<Uint8Array> {
    const max = this.#limits.maxHeaderBytes;
    if (usedBytes + sizeBytes > max) {
      throw new CastoreError(
        'limit-exceeded',
        `an extended header (type ${type}) of the tar archive has ${sizeBytes} bytes, and ${max} are allowed for a member`,
      );
    }
    const bytes = await this.#input.read(sizeBytes);
    if (bytes.length < sizeBytes || !(await this.#input.skip(paddingOf(sizeBytes)))) {
      throw invalid('the tar archive ends in an extended header');
    }
    return bytes;
  }

  async #skipData(sizeBytes: number, what: string): Promise<void> {
    if (await this.#input.skip(sizeBytes + paddingOf(sizeBytes))) return;
    throw invalid(`the tar archive ends in ${what}`);
  }

  async #member(header: TarHeader, block: Uint8Array, extensions: Extensions): Promise<ArchiveMember> {
    const member = await this.#memberWithoutTime(header, block, extensions);
    const modifiedSeconds = parsePaxTime(extensions.time) ?? header.modifiedSeconds;
    return modifiedSeconds === undefined ? member : { ...member, modifiedSeconds };
  }

  async #memberWithoutTime(
    header: TarHeader,
    block: Uint8Array,
    extensions: Extensions,
  ): Promise<ArchiveMember> {
    const pax = (keyword: string): Uint8Array | undefined => this.#pax(extensions, keyword);
    const name = extensions.pax.get('GNU.sparse.name') ?? pax('path') ?? extensions.longName ?? header.name;
    const path = parseArchivePath(name, this.#limits.maxPathBytes);
    if (++this.#members > this.#limits.maxMembers) {
      throw new CastoreError(
        'limit-exceeded',
        `the archive has more than ${this.#limits.maxMembers} members`,
      );
    }
    const paxSize = pax('size');
    const sizeBytes = paxSize === undefined ? header.sizeBytes : parsePaxNumber(paxSize, 'size');
    if (header.type === '1' || header.type === '2') {
      const link = pax('linkpath') ?? extensions.longLink ?? header.linkName;
      if (sizeBytes !== 0) refuseData(header, extensions, path);
      return header.type === '1' ? this.#hardlink(path, link) : this.#symlink(path, link);
    }
    const isDirectory = header.type === '5' || header.type === 'D';
    if (isDirectory || (isPlainFile(header.type) && name.at(-1) === 0x2f)) {
      this.#countBytes(sizeBytes, showArchivePath(path));
      this.#unreadBytes = sizeBytes + paddingOf(sizeBytes);
      return { kind: 'directory', path };
    }
    if (!isPlainFile(header.type) && header.type !== 'S') throw refusedType(header.type, path);
    if (path.length === 0) throw invalid(`the member ${showName(name)} is a file and has no name`);
    return this.#file({ header, block, extensions, path, archivedBytes: sizeBytes });
  }

  #pax(extensions: Extensions, keyword: string): Uint8Array | undefined {
    const value = extensions.pax.get(keyword) ?? this.#globalPax.get(keyword);
    return value === undefined || value.length === 0 ? undefined : value;
  }

  #symlink(path: ArchivePath, target: Uint8Array): ArchiveMember {
    if (path.length === 0) throw invalid("the member '.' is a symbolic link and has no name");
    if (target.length === 0 || target.includes(0)) {
      throw invalid(`the symbolic link ${showArchivePath(path)} has no target, or one with a NUL byte`);
    }
    if (target.length > this.#limits.maxPathBytes) {
      throw new CastoreError(
        'limit-exceeded',
        `the symbolic link ${showArchivePath(path)} has a target of ${target.length} bytes`,
      );
    }
    return { kind: 'symlink', path, target };
  }

  #hardlink(path: ArchivePath, link: Uint8Array): ArchiveMember {
    if (path.length === 0) throw invalid("the member '.' is a hard link and has no name");
    if (link.length === 0) throw invalid(`the hard link ${showArchivePath(path)} has no target`);
    return { kind: 'hardlink', path, target: parseArchivePath(link, this.#limits.maxPathBytes) };
  }

  async #file(options: {
    readonly header: TarHeader;
    readonly block: Uint8Array;
    readonly extensions: Extensions;
    readonly path: ArchivePath;
    readonly archivedBytes: number;
  }): Promise<ArchiveMember> {
    const { header, block, extensions, path, archivedBytes } = options;
    const member = showArchivePath(path);
    const mapSource = { input: this.#input, maxHeaderBytes: this.#limits.maxHeaderBytes, member };
    let dataBytes = archivedBytes;
    let map: SparseMap | undefined;
    if (header.type === 'S') {
      map = await readOldGnuMap(block, mapSource);
    } else if (extensions.pax.has('GNU.sparse.major')) {
      checkVersion(extensions, member);
      const { parts, usedBytes } = await readPaxMap(archivedBytes, mapSource);
      dataBytes -= usedBytes;
      map = { sizeBytes: sparseNumber(extensions, 'GNU.sparse.realsize', member), parts };
    } else if (extensions.pax.has('GNU.sparse.size')) {
      const text = extensions.pax.get('GNU.sparse.map');
      const parts = text === undefined ? extensions.sparseParts : parsePaxMap(text);
      map = { sizeBytes: sparseNumber(extensions, 'GNU.sparse.size', member), parts };
    }
    if (map !== undefined) checkSparseMap(map, dataBytes, member);
    const sizeBytes = map?.sizeBytes ?? dataBytes;
    this.#countBytes(sizeBytes, member);
    const contents = new TarContents({ input: this.#input, dataBytes, map, member });
    this.#contents = contents;
    this.#unreadBytes = paddingOf(dataBytes);
    return { kind: 'file', path, executable: header.executable, sizeBytes, contents };
  }

  #countBytes(length: number, what: string): void {
    this.#totalBytes += length;
    if (this.#totalBytes > this.#limits.maxTotalBytes) {
      throw new CastoreError(
        'limit-exceeded',
        `with ${what} the contents of the archive exceed the ${this.#limits.maxTotalBytes} bytes that are allowed`,
      );
    }
  }
}

/** What pax may say about all members; a sparse map is always one member's. */
const globalKeywords: ReadonlySet<string> = new Set(['path', 'linkpath', 'size']);

const memberKeywords: ReadonlySet<string> = new Set([
  ...globalKeywords,
  'GNU.sparse.major',
  'GNU.sparse.minor',
  'GNU.sparse.map',
  'GNU.sparse.name',
  'GNU.sparse.realsize',
  'GNU.sparse.size',
]);

function noExtensions(): Extensions {
  return {
    pax: new Map(),
    sparseParts: [],
    longName: undefined,
    longLink: undefined,
    time: undefined,
    usedBytes: 0,
  };
}

function addRecord({ keyword, value }: PaxRecord, extensions: Extensions): void {
  const { pax, sparseParts } = extensions;
  if (memberKeywords.has(keyword)) pax.set(keyword, value);
  else if (keyword === 'mtime') extensions.time = value;
  else if (keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes') {
    const isOffset = keyword === 'GNU.sparse.offset';
    if (isOffset !== (sparseParts.length % 2 === 0))
      throw invalid('the sparse map in a pax header is out of order');
    sparseParts.push(parsePaxNumber(value, 'part of a sparse map'));
  }
}

function checkVersion({ pax }: Extensions, member: string): void {
  const version = ['GNU.sparse.major', 'GNU.sparse.minor'].map((it) => pax.get(it)?.[0]);
  if (version[0] === 0x31 && version[1] === 0x30) return;
  throw new CastoreError('unsupported', `the sparse file ${member} is in a format that is not known`);
}

function sparseNumber({ pax }: Extensions, keyword: string, member: string): number {
  const value = pax.get(keyword);
  if (value === undefined) throw invalid(`the sparse file ${member} has no ${keyword}`);
  return parsePaxNumber(value, keyword);
}

/** `X` is the x of Sun's tar; `V` names the archive. */
function isExtension(type: string): boolean {
  return 'LKxXgV'.includes(type);
}

/** `7` is a file that should lie in one piece on its disk. */
function isPlainFile(type: string): boolean {
  return type === '0' || type === '7';
}

function refuseData({ dialect, type }: TarHeader, { pax }: Extensions, path: ArchivePath): void {
  if (type === '1' && dialect !== 'ustar' && pax.size === 0) return;
  throw new CastoreError(
    'unsupported',
    `the link ${showArchivePath(path)} has contents of its own in the archive, which programs read differently`,
  );
}

function refusedType(type: string, path: ArchivePath): CastoreError {
  const names: Readonly<Record<string, string>> = {
    '3': 'a character device',
    '4': 'a block device',
    '6': 'a named pipe',
    M: 'the continuation of a file from another volume',
  };
  const what = names[type] ?? `of the unknown type ${showName(Uint8Array.of(type.charCodeAt(0)))}`;
  return new CastoreError(
    'unsupported',
    `the member ${showArchivePath(path)} is ${what}; only files, directories and links can be taken in`,
  );
}

function paddingOf(sizeBytes: number): number {
  return (blockSize - (sizeBytes % blockSize)) % blockSize;
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return bytes.slice(0, end === -1 ? bytes.length : end);
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-archive', message);
}
