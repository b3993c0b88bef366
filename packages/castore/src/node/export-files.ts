/**
 * Writes a node to the file system, as Nix has its store: files with the mode 0444 or 0555, directories with 0555, all of
 * them with the modification time 1. The target must not exist; it appears when it is complete, and a failure leaves
 * nothing behind.
 */
import { closeSync, fchmodSync, futimesSync, openSync, writeSync } from 'node:fs';
import {
  type FileHandle,
  chmod,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
} from 'node:fs/promises';
import type { BlobService } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import type { Directory } from '../directory.ts';
import type { DirectoryService } from '../directory-service.ts';
import type { FileNode, Node, SymlinkNode } from '../node.ts';
import { OrderedWindow } from '../ordered-window.ts';
import { cloneFile } from './clone-file.ts';

/** Where the bytes of a blob already are in a file, such as `LocalBlobs`. */
export interface BlobFiles {
  /** A file of that mode (0444, or 0555 for `executable`), which must not be changed. */
  filePath(digest: FileNode['digest'], executable: boolean): Promise<string | undefined>;
}

/**
 * How a file comes from the blob's own: a hard link shares it, which is right only where nobody can write to it; a clone
 * shares the bytes where the file system can, and is a copy elsewhere.
 */
export type LinkMode = 'hardlink' | 'clone';

export type ExportOptions = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly files?: BlobFiles;
  /** `clone` unless given. */
  readonly link?: LinkMode;
  readonly signal?: AbortSignal;
};

const limits = { maxCost: 32 << 20, maxItems: 64 };
const mtimeSeconds = 1;

/** Throws `CastoreError`: `io`, `not-found` when something below the node is missing, `unsupported` if the target exists. */
export async function exportToFiles(node: Node, target: string, options: ExportOptions): Promise<void> {
  if ((await lstat(target).catch(() => undefined)) !== undefined) {
    throw new CastoreError('unsupported', `'${target}' exists already; choose a path that does not`);
  }
  const temporary = `${target}.tmp-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  try {
    await new Exporter(options).write(node, Buffer.from(temporary));
    await rename(temporary, target);
  } catch (cause) {
    await removeTree(temporary);
    if (cause instanceof CastoreError || options.signal?.aborted === true) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CastoreError('io', `cannot write '${target}': ${reason}`, { cause });
  }
}

/** Removes a tree although its directories cannot be written to. */
export async function removeTree(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (stats.isDirectory()) await makeWritable(Buffer.from(path));
  await rm(path, { recursive: true, force: true });
}

class Exporter {
  readonly #options: ExportOptions;

  constructor(options: ExportOptions) {
    this.#options = options;
  }

  async write(node: Node, path: Buffer): Promise<void> {
    if (node.kind === 'file') await this.#writeFile(node, path);
    else if (node.kind === 'symlink') await writeLink(node, path);
    else {
      const byDigest = new Map<string, Directory>();
      for await (const directory of this.#options.directories.closure(node.digest, this.#options.signal)) {
        byDigest.set(directory.digest.key, directory);
      }
      await using window = new OrderedWindow<void>(limits);
      const made: Buffer[] = [];
      for (const { child, at } of walk(node, path, byDigest)) {
        this.#options.signal?.throwIfAborted();
        if (child.kind === 'directory') {
          await mkdir(at, { mode: 0o700 });
          made.push(at);
          continue;
        }
        const cost = child.kind === 'file' ? Math.min(child.size, 1 << 20) : 0;
        window.push(child.kind === 'file' ? this.#writeFile(child, at) : writeLink(child, at), cost);
        while (window.isFull) await window.shift();
      }
      while (!window.isEmpty) await window.shift();
      // Children first, since a directory that cannot be written to cannot be filled.
      for (const at of made.toReversed()) {
        await utimes(at, mtimeSeconds, mtimeSeconds);
        await chmod(at, 0o555);
      }
    }
  }

  async #writeFile(node: FileNode, path: Buffer): Promise<void> {
    const { blobs, files, link: mode = 'clone', signal } = this.#options;
    const source = await files?.filePath(node.digest, node.executable);
    const permissions = node.executable ? 0o555 : 0o444;
    if (source !== undefined && mode === 'hardlink' && (await tryLink(source, path))) return;
    if (source !== undefined) {
      return await cloneFile(source, path, { mode: permissions, mtimeSeconds }).catch(
        async (cause: unknown) => {
          if ((await lstat(source).catch(() => undefined)) !== undefined) throw cause;
          throw new CastoreError(
            'not-found',
            `the blob ${node.digest.toString()} is missing: its file '${source}' is gone`,
          );
        },
      );
    }
    await using reader = await blobs.open(node.digest, signal);
    if (reader === undefined)
      throw new CastoreError('not-found', `the blob ${node.digest.toString()} is missing`);
    if (reader.size !== node.size) {
      throw new CastoreError(
        'corrupt',
        `the blob ${node.digest.toString()} has ${reader.size} bytes where ${node.size} are recorded`,
      );
    }
    if (reader.size <= smallFile)
      return writeSmallFile(path, await reader.read(0, reader.size, signal), permissions);
    await using handle = await open(path, 'wx', 0o600);
    for await (const piece of reader.stream(undefined, signal)) await writeAll(handle, piece);
    await handle.chmod(permissions);
    await handle.utimes(mtimeSeconds, mtimeSeconds);
  }
}

const smallFile = 1 << 16;

type Placed = { readonly child: Node; readonly at: Buffer };

/** Parents before children. */
function* walk(
  node: Node,
  at: Buffer,
  byDigest: ReadonlyMap<string, Directory>,
): Generator<Placed, void, void> {
  const open: Placed[] = [{ child: node, at }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    if (next.child.kind !== 'directory') continue;
    const directory = byDigest.get(next.child.digest.key);
    if (directory === undefined) {
      throw new CastoreError('not-found', `the directory ${next.child.digest.toString()} is missing`);
    }
    for (const { name, node: child } of directory.entries.toReversed()) {
      open.push({ child, at: Buffer.concat([next.at, slash, name.bytes]) });
    }
  }
}

const slash = Buffer.from('/');

/** A new file of a mode, with the modification time 1. Synchronous: for a few KiB that is the fastest. Throws what `node:fs` throws. */
export function writeSmallFile(path: Buffer | string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
    fchmodSync(file, mode);
    futimesSync(file, mtimeSeconds, mtimeSeconds);
  } finally {
    closeSync(file);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

async function writeLink({ target }: SymlinkNode, path: Buffer): Promise<void> {
  await symlink(Buffer.from(target.bytes), path);
  await lutimes(path, mtimeSeconds, mtimeSeconds);
}

/** False where the file system refuses: another one, too many links, links not allowed. */
async function tryLink(source: string, path: Buffer): Promise<boolean> {
  try {
    await link(source, path);
    return true;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EXDEV' || code === 'EMLINK' || code === 'EPERM' || code === 'ENOTSUP') return false;
    throw cause;
  }
}

async function makeWritable(folder: Buffer): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) await makeWritable(Buffer.concat([folder, slash, entry.name]));
  }
}
