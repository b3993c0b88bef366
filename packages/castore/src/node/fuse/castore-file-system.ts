/**
 * A castore as a read-only file system: answers to the requests of the kernel, over blobs and directories.
 *
 * Everything below the root is named by its contents and cannot change, so the kernel may keep names, attributes, listings
 * and pages for ever; only what the root does not have, and the listing of a root that can change, are asked for again. Files
 * are 0444 or 0555, directories 0555, symbolic links 0444; all times are 1.
 *
 * An answer that takes time is a promise of a function, called when the answer is sent and never when it is not: what the
 * kernel comes to know by an answer is counted in there.
 */
import { encodeUtf8, equalBytes } from '@neve/bytes';
import type { B3Digest } from '../../b3-digest.ts';
import type { BlobService } from '../../blob-service.ts';
import { CastoreError } from '../../castore-error.ts';
import type { DirectoryService } from '../../directory-service.ts';
import type { Directory, DirectoryEntry } from '../../directory.ts';
import type { DirectoryNode, Node } from '../../node.ts';
import { PathComponent, maxNameLength } from '../../path-component.ts';
import {
  DirentBuffer,
  encodeAttributes,
  encodeEntry,
  encodeNoEntry,
  encodeOpen,
  encodeStatfs,
  encodeXattrSize,
  errno,
  openFlags,
} from './fuse-protocol.ts';
import type { FuseAttributes, FuseOperation, FuseRequest } from './fuse-protocol.ts';
import { InodeTable, rootNodeId } from './inode-table.ts';
import type { Inode } from './inode-table.ts';
import { OpenBlobs } from './open-blobs.ts';
import { RecentDirectories } from './recent-directories.ts';

/** What is in the root: nodes by name, which may come and go. Without `list` the root cannot be listed (`EPERM`). */
export interface RootNodes {
  get(name: PathComponent, signal?: AbortSignal): Promise<Node | undefined>;
  list?(signal?: AbortSignal): AsyncIterable<DirectoryEntry>;
}

export type CastoreFileSystemOptions = {
  readonly root: RootNodes | DirectoryNode;
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** Whether the root can be listed where it has a `list`. Default: true. */
  readonly listRoot?: boolean;
  /** Whether digests are shown as extended attributes. Default: true. */
  readonly xattrs?: boolean;
  /** The owner of everything. Default: 0. */
  readonly uid?: number;
  readonly gid?: number;
  /** How many blobs are open at the same time. Default: 64. */
  readonly maxOpenBlobs?: number;
  /** The longest piece that is read ahead of a sequential reader. Default: 1 MiB. */
  readonly readAheadBytes?: number;
  /** Told why an answer was EIO. */
  readonly onError?: (error: CastoreError) => void;
};

/** An errno or the bytes of a result. */
export type FuseAnswer = number | Uint8Array;

/** Calling it is sending it. */
export type LaterAnswer = Promise<() => FuseAnswer>;

/** The longest time that the protocol's seconds are sure to take without overflowing in the kernel: over a century. */
const forever = 0xffff_ffff;

const writeAccess = 2;

const typeAndMode = { directory: 0o040_555, file: 0o100_444, executable: 0o100_555, symlink: 0o120_444 };

const xattrNames = {
  blob: ['user.neve.castore.blob.digest', 'user.snix.castore.blob.digest'].map(encodeUtf8),
  directory: ['user.neve.castore.directory.digest', 'user.snix.castore.directory.digest'].map(encodeUtf8),
};

const dot = new Uint8Array([0x2e]);
const dotDot = new Uint8Array([0x2e, 0x2e]);

export class CastoreFileSystem implements AsyncDisposable {
  readonly #options: CastoreFileSystemOptions;
  readonly #rootNodes: RootNodes | undefined;
  readonly #rootNode: DirectoryNode | undefined;
  readonly #inodes = new InodeTable();
  readonly #directories: RecentDirectories;
  readonly #blobs: OpenBlobs;
  readonly #rootListings = new Map<number, RootListing>();
  readonly #disposed = new AbortController();
  #nextHandle = 1;

  constructor(options: CastoreFileSystemOptions) {
    const { root, blobs, directories } = options;
    this.#options = options;
    if ('get' in root) this.#rootNodes = root;
    else this.#rootNode = root;
    this.#directories = new RecentDirectories(directories);
    this.#blobs = new OpenBlobs(blobs, {
      limit: options.maxOpenBlobs ?? 64,
      readAheadBytes: options.readAheadBytes ?? 1 << 20,
      idleMs: 5000,
    });
  }

  /** Answers a request; `undefined` where no answer is wanted. Never throws, and promises are always fulfilled. */
  handle(request: FuseRequest): FuseAnswer | LaterAnswer | undefined {
    try {
      const answer = this.#answer(request);
      if (!(answer instanceof Promise)) return answer;
      return answer.then(
        (send) => () => this.#guard(send),
        (error: unknown) => () => this.#failure(error),
      );
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** Gives up what is being answered, which may still want to be awaited. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.#directories[Symbol.dispose]();
    const listings = [...this.#rootListings.values()];
    this.#rootListings.clear();
    await Promise.allSettled(listings.map((it) => it[Symbol.asyncDispose]()));
    await this.#blobs[Symbol.asyncDispose]();
  }

  #guard(send: () => FuseAnswer): FuseAnswer {
    try {
      return send();
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): number {
    if (!this.#disposed.signal.aborted) this.#options.onError?.(asCastoreError(error));
    return errno.EIO;
  }

  #answer({ nodeId, operation }: FuseRequest): FuseAnswer | LaterAnswer | undefined {
    switch (operation.kind) {
      case 'lookup':
        return this.#lookup(nodeId, operation.name);
      case 'forget':
        for (const { nodeId: forgotten, count } of operation.forgotten) this.#inodes.forget(forgotten, count);
        return undefined;
      case 'getattr':
        return encodeAttributes(this.#attributes(this.#inode(nodeId)), forever);
      case 'readlink':
        return this.#readlink(nodeId);
      case 'read':
        return this.#read(nodeId, operation);
      case 'opendir':
        return this.#opendir(nodeId);
      case 'readdir':
        return this.#readdir(nodeId, operation);
      case 'releasedir':
        return this.#releasedir(operation.handle);
      case 'getxattr':
      case 'listxattr':
        return this.#xattr(nodeId, operation);
      case 'statfs':
        return encodeStatfs(maxNameLength);
      case 'access':
        return (operation.mask & writeAccess) === 0 ? 0 : errno.EROFS;
      case 'modify':
        return errno.EROFS;
      case 'release':
        return 0;
      case 'interrupt':
      case 'destroy':
        return undefined;
      case 'open':
      case 'flush':
      case 'init':
      case 'unknown':
        // Of `open` and `flush` the kernel learns by this that it need not ask: every file can be opened.
        return errno.ENOSYS;
    }
  }

  #lookup(nodeId: number, bytes: Uint8Array): FuseAnswer | LaterAnswer {
    if (bytes.length > maxNameLength) return errno.ENAMETOOLONG;
    const name = new PathComponent(bytes);
    if (nodeId === rootNodeId && this.#rootNodes !== undefined) {
      return this.#rootNodes
        .get(name, this.#disposed.signal)
        .then((node) => () => this.#found(nodeId, name, node));
    }
    const directory = this.#directory(nodeId);
    if (directory instanceof Promise) {
      return directory.then((it) => () => this.#found(nodeId, name, it.get(name)));
    }
    return this.#found(nodeId, name, directory.get(name));
  }

  #found(parentId: number, name: PathComponent, node: Node | undefined): FuseAnswer {
    if (node === undefined) return this.#canChange(parentId) ? errno.ENOENT : encodeNoEntry(forever);
    return encodeEntry(this.#attributes(this.#inodes.refer(parentId, name, node)), forever);
  }

  /** Only a root of named nodes can. */
  #canChange(nodeId: number): boolean {
    return nodeId === rootNodeId && this.#rootNodes !== undefined;
  }

  #readlink(nodeId: number): FuseAnswer {
    const { node } = this.#inode(nodeId);
    return node?.kind === 'symlink' ? node.target.bytes : errno.EINVAL;
  }

  #read(nodeId: number, { offset, size }: ReadOperation): FuseAnswer | LaterAnswer {
    const { node } = this.#inode(nodeId);
    if (node?.kind !== 'file') return errno.EISDIR;
    const length = Math.min(size, node.size - offset);
    if (length <= 0) return new Uint8Array(0);
    return this.#blobs.read(node.digest, offset, length).then((bytes) => {
      if (bytes === undefined) throw missing('blob', node.digest);
      if (bytes.length !== length) {
        throw new CastoreError(
          'corrupt',
          `the blob ${node.digest.toString()} has not the ${node.size} bytes of its file`,
        );
      }
      return () => bytes;
    });
  }

  #opendir(nodeId: number): FuseAnswer {
    if (nodeId !== rootNodeId || this.#rootNodes === undefined) {
      return encodeOpen(0, openFlags.keepCache | openFlags.cacheDirectory);
    }
    const entries =
      this.#options.listRoot === false ? undefined : this.#rootNodes.list?.(this.#disposed.signal);
    if (entries === undefined) return errno.EPERM;
    const handle = this.#nextHandle++;
    this.#rootListings.set(handle, new RootListing(entries));
    return encodeOpen(handle, 0);
  }

  #readdir(nodeId: number, operation: ReaddirOperation): FuseAnswer | LaterAnswer {
    const listing = this.#rootListings.get(operation.handle);
    if (listing !== undefined) {
      // A dirent has at least 32 bytes, so no more entries than that are in the answer.
      const wanted = operation.offset + operation.size / 32;
      return listing.upTo(wanted).then((entries) => () => this.#dirents(nodeId, entries, operation));
    }
    const directory = this.#directory(nodeId);
    if (directory instanceof Promise) {
      return directory.then((it) => () => this.#dirents(nodeId, it.entries, operation));
    }
    return this.#dirents(nodeId, directory.entries, operation);
  }

  /** Offsets count `.`, `..` and the entries. */
  #dirents(nodeId: number, entries: readonly DirectoryEntry[], operation: ReaddirOperation): FuseAnswer {
    const buffer = new DirentBuffer(operation.size, operation.plus);
    for (let at = operation.offset; at < entries.length + 2; at++) {
      const entry = entries[at - 2];
      const name = at === 0 ? dot : at === 1 ? dotDot : entry?.name.bytes;
      if (name === undefined || !buffer.hasRoomFor(name.length)) break;
      const rest = { name, nextOffset: at + 1 };
      if (entry === undefined) {
        const shown = at === 0 ? nodeId : (this.#inodes.get(nodeId)?.parentId ?? rootNodeId);
        buffer.add({ ...rest, nodeId: shown, mode: typeAndMode.directory });
      } else if (operation.plus) {
        const attributes = this.#attributes(this.#inodes.refer(nodeId, entry.name, entry.node));
        buffer.add({
          ...rest,
          nodeId: attributes.nodeId,
          mode: attributes.mode,
          entry: { attributes, seconds: forever },
        });
      } else {
        buffer.add({ ...rest, nodeId: unknownNodeId, mode: modeOf(entry.node) });
      }
    }
    return buffer.bytes;
  }

  #releasedir(handle: number): FuseAnswer {
    const listing = this.#rootListings.get(handle);
    this.#rootListings.delete(handle);
    listing?.[Symbol.asyncDispose]().catch((error: unknown) => this.#failure(error));
    return 0;
  }

  #xattr(nodeId: number, operation: XattrOperation): FuseAnswer {
    const { node } = this.#inode(nodeId);
    const shown = this.#options.xattrs === false ? undefined : digestOf(node);
    let value: Uint8Array | undefined;
    if (operation.kind === 'listxattr') {
      value = encodeUtf8((shown?.names ?? []).map((it) => `${String.fromCharCode(...it)}\0`).join(''));
    } else if (shown?.names.some((it) => equalBytes(it, operation.name)) === true) {
      value = encodeUtf8(shown.digest.toString());
    }
    if (value === undefined) return errno.ENODATA;
    if (operation.size === 0) return encodeXattrSize(value.length);
    return value.length > operation.size ? errno.ERANGE : value;
  }

  /** What the kernel asks about it was told of before. */
  #inode(nodeId: number): RootInode | Inode {
    if (nodeId === rootNodeId) return { nodeId, parentId: nodeId, node: this.#rootNode };
    const inode = this.#inodes.get(nodeId);
    if (inode === undefined) throw new CastoreError('io', `the kernel asks for the unknown node ${nodeId}`);
    return inode;
  }

  #directory(nodeId: number): Directory | Promise<Directory> {
    const { node } = this.#inode(nodeId);
    if (node?.kind !== 'directory') throw new CastoreError('io', `the node ${nodeId} is not a directory`);
    const found = this.#directories.get(node.digest);
    if (!(found instanceof Promise)) return found;
    return found.then((directory) => {
      if (directory === undefined) throw missing('directory', node.digest);
      return directory;
    });
  }

  #attributes({ nodeId, node }: RootInode | Inode): FuseAttributes {
    const { uid = 0, gid = 0 } = this.#options;
    const mode = node === undefined ? typeAndMode.directory : modeOf(node);
    return { nodeId, size: node === undefined ? 0 : sizeOf(node), seconds: 1, mode, uid, gid };
  }
}

/** What tools take for a number that is not known. */
const unknownNodeId = 0xffff_ffff;

type RootInode = { readonly nodeId: number; readonly parentId: number; readonly node: Node | undefined };
type ReadOperation = Extract<FuseOperation, { kind: 'read' }>;
type ReaddirOperation = Extract<FuseOperation, { kind: 'readdir' }>;
type XattrOperation = Extract<FuseOperation, { kind: 'getxattr' | 'listxattr' }>;

/** One reading of the root, as far as it was asked for. Entries that were read stay, because the kernel may go back. */
class RootListing implements AsyncDisposable {
  readonly #iterator: AsyncIterator<DirectoryEntry>;
  readonly #entries: DirectoryEntry[] = [];
  #done = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(entries: AsyncIterable<DirectoryEntry>) {
    this.#iterator = entries[Symbol.asyncIterator]();
  }

  /** All entries that were read, at least `count` if there are as many. */
  upTo(count: number): Promise<readonly DirectoryEntry[]> {
    const result = this.#last.then(() => this.#readUpTo(count));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    if (!this.#done) await this.#iterator.return?.();
  }

  async #readUpTo(count: number): Promise<readonly DirectoryEntry[]> {
    while (!this.#done && this.#entries.length < count) {
      const next = await this.#iterator.next();
      if (next.done === true) this.#done = true;
      else this.#entries.push(next.value);
    }
    return this.#entries;
  }
}

function modeOf(node: Node): number {
  if (node.kind !== 'file') return typeAndMode[node.kind];
  return node.executable ? typeAndMode.executable : typeAndMode.file;
}

function sizeOf(node: Node): number {
  return node.kind === 'symlink' ? node.target.bytes.length : node.size;
}

type ShownDigest = { readonly names: readonly Uint8Array[]; readonly digest: B3Digest };

function digestOf(node: Node | undefined): ShownDigest | undefined {
  if (node === undefined || node.kind === 'symlink') return undefined;
  return { names: node.kind === 'file' ? xattrNames.blob : xattrNames.directory, digest: node.digest };
}

function missing(what: 'blob' | 'directory', digest: B3Digest): CastoreError {
  return new CastoreError(
    'not-found',
    `the ${what} ${digest.toString()} of a mounted file system is in none of its stores: copy it there and read again`,
  );
}

function asCastoreError(error: unknown): CastoreError {
  if (error instanceof CastoreError) return error;
  return new CastoreError('io', `a request to a mounted file system failed: ${String(error)}`, {
    cause: error,
  });
}
