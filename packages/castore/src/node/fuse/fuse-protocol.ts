/**
 * The protocol between the kernel and a FUSE server, as far as a read-only file system needs it: version 7.31, the layouts
 * of `linux/fuse.h`. Numbers are little-endian here (the protocol has the byte order of the machine; all that Node runs on
 * and that has FUSE is little-endian), 64-bit ones are read as doubles.
 *
 *     request   length u32, opcode u32, unique u64, node u64, uid u32, gid u32, pid u32, padding u32, then the arguments
 *     reply     length u32, negative errno i32, unique u64, then the result
 *     attr      ino, size, blocks, atime, mtime, ctime u64; their nanoseconds, mode, nlink, uid, gid, rdev, blksize, flags u32
 *     entry     node, generation, entry seconds, attr seconds u64; entry, attr nanoseconds u32; attr
 *     dirent    ino, offset of the next u64; length of the name, type u32; name; zeros up to a multiple of 8
 *
 * A reply to `readdirplus` has an entry before every dirent.
 */
import { CastoreError } from '../../castore-error.ts';

/** What the kernel and this server speak. A kernel older than `oldestMinor` (Linux 3.15) has shorter structures. */
export const fuseVersion = { major: 7, minor: 31, oldestMinor: 23 } as const;

export const requestHeaderBytes = 40;
export const replyHeaderBytes = 16;
const attrBytes = 88;
const entryBytes = 128;
const direntBytes = 24;

/** Bytes of the largest request that is read: the least that the kernel allows. Larger ones it refuses by itself. */
export const maxRequestBytes = 8192;

export const errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENODATA: 61,
  EPROTO: 71,
} as const;

/** Flags of `init`, offered by the kernel and taken by the server. */
export const initFlags = {
  asyncRead: 0x1,
  doReaddirplus: 0x2000,
  readdirplusAuto: 0x4000,
  noOpenSupport: 0x2_0000,
  parallelDirops: 0x4_0000,
  maxPages: 0x40_0000,
  cacheSymlinks: 0x80_0000,
} as const;

/** Flags of a reply to `open` and `opendir`. */
export const openFlags = { keepCache: 0x2, cacheDirectory: 0x8 } as const;

const opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  readlink: 5,
  open: 14,
  read: 15,
  statfs: 17,
  release: 18,
  getxattr: 22,
  listxattr: 23,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  access: 34,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  readdirplus: 44,
} as const;

/** setattr, symlink, mknod, mkdir, unlink, rmdir, rename, link, write, setxattr, removexattr, create, fallocate, rename2, copy_file_range, tmpfile. */
const modifying: ReadonlySet<number> = new Set([4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 47, 51]);

/** One request. `unique` is 0 for those that take no reply as well as for none. */
export type FuseRequest = {
  readonly unique: number;
  readonly nodeId: number;
  readonly operation: FuseOperation;
};

/** Sizes and offsets are in bytes; an offset of `readdir` is what the dirent before it said. `modify` is whatever writes. */
export type FuseOperation =
  | {
      readonly kind: 'init';
      readonly major: number;
      readonly minor: number;
      readonly maxReadahead: number;
      readonly flags: number;
    }
  | { readonly kind: 'lookup'; readonly name: Uint8Array }
  | { readonly kind: 'forget'; readonly forgotten: readonly ForgottenNode[] }
  | { readonly kind: 'getattr' | 'readlink' | 'statfs' | 'destroy' | 'opendir' | 'release' | 'flush' }
  | { readonly kind: 'open'; readonly flags: number }
  | { readonly kind: 'read'; readonly offset: number; readonly size: number }
  | {
      readonly kind: 'readdir';
      readonly handle: number;
      readonly offset: number;
      readonly size: number;
      readonly plus: boolean;
    }
  | { readonly kind: 'releasedir'; readonly handle: number }
  | { readonly kind: 'getxattr'; readonly name: Uint8Array; readonly size: number }
  | { readonly kind: 'listxattr'; readonly size: number }
  | { readonly kind: 'access'; readonly mask: number }
  | { readonly kind: 'interrupt'; readonly unique: number }
  | { readonly kind: 'modify' }
  | { readonly kind: 'unknown'; readonly opcode: number };

/** `count` references of the kernel to the node are gone. */
export type ForgottenNode = { readonly nodeId: number; readonly count: number };

/** `mode` has the type of the file too; `seconds` are of all three times. */
export type FuseAttributes = {
  readonly nodeId: number;
  readonly size: number;
  readonly seconds: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

/** Reads a request; the result shares no memory with `bytes`. Throws `CastoreError` (`io`) when it is too short. */
export function decodeRequest(bytes: Uint8Array): FuseRequest {
  if (bytes.length < requestHeaderBytes) throw shortRequest(bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  if (length < requestHeaderBytes || length > bytes.length) throw shortRequest(bytes.length);
  const nodeId = readU64(view, 16);
  try {
    const operation = decodeOperation({
      code: view.getUint32(4, true),
      nodeId,
      body: new DataView(view.buffer, view.byteOffset + requestHeaderBytes, length - requestHeaderBytes),
    });
    return { unique: readU64(view, 8), nodeId, operation };
  } catch (cause) {
    if (cause instanceof RangeError) throw shortRequest(length);
    throw cause;
  }
}

type RequestParts = { readonly code: number; readonly nodeId: number; readonly body: DataView };

function decodeOperation({ code, nodeId, body }: RequestParts): FuseOperation {
  switch (code) {
    case opcode.lookup:
      return { kind: 'lookup', name: readName(body, 0) };
    case opcode.forget:
      return { kind: 'forget', forgotten: [{ nodeId, count: readU64(body, 0) }] };
    case opcode.batchForget:
      return { kind: 'forget', forgotten: readForgotten(body) };
    case opcode.getattr:
      return { kind: 'getattr' };
    case opcode.readlink:
      return { kind: 'readlink' };
    case opcode.open:
      return { kind: 'open', flags: body.getUint32(0, true) };
    case opcode.read:
      return { kind: 'read', offset: readU64(body, 8), size: body.getUint32(16, true) };
    case opcode.statfs:
      return { kind: 'statfs' };
    case opcode.release:
      return { kind: 'release' };
    case opcode.getxattr:
      return { kind: 'getxattr', size: body.getUint32(0, true), name: readName(body, 8) };
    case opcode.listxattr:
      return { kind: 'listxattr', size: body.getUint32(0, true) };
    case opcode.flush:
      return { kind: 'flush' };
    case opcode.init:
      return readInit(body);
    case opcode.opendir:
      return { kind: 'opendir' };
    case opcode.readdir:
    case opcode.readdirplus:
      return readReaddir(body, code === opcode.readdirplus);
    case opcode.releasedir:
      return { kind: 'releasedir', handle: readU64(body, 0) };
    case opcode.access:
      return { kind: 'access', mask: body.getUint32(0, true) };
    case opcode.interrupt:
      return { kind: 'interrupt', unique: readU64(body, 0) };
    case opcode.destroy:
      return { kind: 'destroy' };
    default:
      return modifying.has(code) ? { kind: 'modify' } : { kind: 'unknown', opcode: code };
  }
}

function readInit(body: DataView): FuseOperation {
  return {
    kind: 'init',
    major: body.getUint32(0, true),
    minor: body.getUint32(4, true),
    maxReadahead: body.getUint32(8, true),
    flags: body.getUint32(12, true),
  };
}

function readReaddir(body: DataView, plus: boolean): FuseOperation {
  return {
    kind: 'readdir',
    handle: readU64(body, 0),
    offset: readU64(body, 8),
    size: body.getUint32(16, true),
    plus,
  };
}

function readForgotten(body: DataView): readonly ForgottenNode[] {
  const forgotten: ForgottenNode[] = [];
  const end = 8 + 16 * body.getUint32(0, true);
  for (let at = 8; at < end; at += 16) {
    forgotten.push({ nodeId: readU64(body, at), count: readU64(body, at + 8) });
  }
  return forgotten;
}

/** The bytes up to the NUL which ends a name. */
function readName(body: DataView, start: number): Uint8Array {
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice(start);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function shortRequest(length: number): CastoreError {
  return new CastoreError('io', `the kernel sent a FUSE request of ${length} bytes, which is too short`);
}

/** Writes the head of a reply with `length` bytes after it; `error` is an errno, 0 for success. */
export function writeReplyHeader(target: Uint8Array, reply: ReplyHeader): void {
  const view = new DataView(target.buffer, target.byteOffset, replyHeaderBytes);
  view.setUint32(0, replyHeaderBytes + reply.length, true);
  view.setInt32(4, -reply.error, true);
  writeU64(view, 8, reply.unique);
}

export type ReplyHeader = { readonly unique: number; readonly error: number; readonly length: number };

/** `maxPages` is the largest read, in pages of 4 KiB. */
export type InitReply = {
  readonly maxReadahead: number;
  readonly flags: number;
  readonly maxBackground: number;
  readonly maxPages: number;
};

export function encodeInit(reply: InitReply): Uint8Array {
  const { bytes, view } = allocate(64);
  view.setUint32(0, fuseVersion.major, true);
  view.setUint32(4, fuseVersion.minor, true);
  view.setUint32(8, reply.maxReadahead, true);
  view.setUint32(12, reply.flags, true);
  view.setUint16(16, reply.maxBackground, true);
  view.setUint16(18, Math.ceil((reply.maxBackground * 3) / 4), true);
  // The largest write: there are none, but less than a page is not allowed.
  view.setUint32(20, 4096, true);
  // The granularity of times, in nanoseconds.
  view.setUint32(24, 1, true);
  view.setUint16(28, reply.maxPages, true);
  return bytes;
}

/** The version alone, to which a newer kernel answers with an `init` of that version. */
export function encodeInitVersion(): Uint8Array {
  const { bytes, view } = allocate(64);
  view.setUint32(0, fuseVersion.major, true);
  view.setUint32(4, fuseVersion.minor, true);
  return bytes;
}

/** Name and attributes stay valid for `seconds`, at most 2^32 - 1. */
export function encodeEntry(attributes: FuseAttributes, seconds: number): Uint8Array {
  const { bytes, view } = allocate(entryBytes);
  writeEntry(view, 0, { attributes, seconds });
  return bytes;
}

/** There is no such name, and that stays so for `seconds`. */
export function encodeNoEntry(seconds: number): Uint8Array {
  const { bytes, view } = allocate(entryBytes);
  writeU64(view, 16, seconds);
  return bytes;
}

export function encodeAttributes(attributes: FuseAttributes, seconds: number): Uint8Array {
  const { bytes, view } = allocate(16 + attrBytes);
  writeU64(view, 0, seconds);
  writeAttributes(view, 16, attributes);
  return bytes;
}

export function encodeOpen(handle: number, flags: number): Uint8Array {
  const { bytes, view } = allocate(16);
  writeU64(view, 0, handle);
  view.setUint32(8, flags, true);
  return bytes;
}

/** An empty and full file system with blocks of 4 KiB, and names of at most `maxNameBytes`. */
export function encodeStatfs(maxNameBytes: number): Uint8Array {
  const { bytes, view } = allocate(80);
  view.setUint32(40, 4096, true);
  view.setUint32(44, maxNameBytes, true);
  view.setUint32(48, 4096, true);
  return bytes;
}

/** The length of an extended attribute or of their list, to those who asked with a size of 0. */
export function encodeXattrSize(size: number): Uint8Array {
  const { bytes, view } = allocate(8);
  view.setUint32(0, size, true);
  return bytes;
}

/** `type` is that of the file, as in `mode`; `entry` is what `readdirplus` says of it, absent for `.` and `..`. */
export type FuseDirent = {
  readonly name: Uint8Array;
  readonly nodeId: number;
  readonly nextOffset: number;
  readonly mode: number;
  readonly entry?: { readonly attributes: FuseAttributes; readonly seconds: number } | undefined;
};

/** A reply to `readdir` or `readdirplus` in the making: at most `size` bytes. */
export class DirentBuffer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #plus: boolean;
  #length = 0;

  constructor(size: number, plus: boolean) {
    const { bytes, view } = allocate(size);
    this.#bytes = bytes;
    this.#view = view;
    this.#plus = plus;
  }

  /** The dirents so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Whether a name of this length fits. */
  hasRoomFor(nameLength: number): boolean {
    return this.#length + this.#sizeOf(nameLength) <= this.#bytes.length;
  }

  /** Appends; there must be room. */
  add(dirent: FuseDirent): void {
    let at = this.#length;
    if (this.#plus) {
      if (dirent.entry !== undefined) writeEntry(this.#view, at, dirent.entry);
      at += entryBytes;
    }
    writeU64(this.#view, at, dirent.nodeId);
    writeU64(this.#view, at + 8, dirent.nextOffset);
    this.#view.setUint32(at + 16, dirent.name.length, true);
    this.#view.setUint32(at + 20, dirent.mode >>> 12, true);
    this.#bytes.set(dirent.name, at + direntBytes);
    this.#length += this.#sizeOf(dirent.name.length);
  }

  #sizeOf(nameLength: number): number {
    return (this.#plus ? entryBytes : 0) + ((direntBytes + nameLength + 7) & ~7);
  }
}

type Entry = { readonly attributes: FuseAttributes; readonly seconds: number };

function writeEntry(view: DataView, at: number, { attributes, seconds }: Entry): void {
  writeU64(view, at, attributes.nodeId);
  writeU64(view, at + 16, seconds);
  writeU64(view, at + 24, seconds);
  writeAttributes(view, at + 40, attributes);
}

function writeAttributes(view: DataView, at: number, attributes: FuseAttributes): void {
  writeU64(view, at, attributes.nodeId);
  writeU64(view, at + 8, attributes.size);
  writeU64(view, at + 16, Math.ceil(attributes.size / 512));
  for (const time of [24, 32, 40]) writeU64(view, at + time, attributes.seconds);
  view.setUint32(at + 60, attributes.mode, true);
  // One link also for directories: more would tell `find` how many directories are in there.
  view.setUint32(at + 64, 1, true);
  view.setUint32(at + 68, attributes.uid, true);
  view.setUint32(at + 72, attributes.gid, true);
  view.setUint32(at + 80, 4096, true);
}

function allocate(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function readU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
