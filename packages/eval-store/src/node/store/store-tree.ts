/**
 * Store objects that are in castore, looked at as files: what is at a path below a node. Nothing is unpacked. Directories
 * are remembered as long as this is.
 */
import {
  CastoreError,
  type Directory,
  type DirectoryNode,
  type FileNode,
  type Node,
  type PathComponent,
  descend,
  parsePath,
} from '@neve/castore';
import type { Castore } from '@neve/store';
import { type DirectoryEntry, EvalIOError, type FileType } from '@neve/eval';
import { decodeUtf8 } from '@neve/bytes';
import { notFound } from '../io-errors.ts';

const maxFileSize = 2 ** 31 - 1;

export class StoreTree {
  readonly #castore: Castore;
  readonly #directories = new Map<string, Promise<Directory | undefined>>();

  constructor(castore: Castore) {
    this.#castore = castore;
  }

  /** `rest` is empty or begins with a slash. */
  async node(root: Node, rest: Uint8Array): Promise<Node | undefined> {
    const names = componentsOf(rest);
    if (names === undefined) return undefined;
    return await descend({ get: (digest) => this.directory({ digest }) }, root, names);
  }

  async readFile(node: Node | undefined, path: Uint8Array): Promise<Uint8Array> {
    if (node === undefined) throw notFound(path);
    if (node.kind === 'directory') {
      throw new EvalIOError('is-directory', `read of '${decodeUtf8(path)}': it is a directory`, { path });
    }
    if (node.kind === 'symlink') {
      throw new EvalIOError('symlink-loop', `opening file '${decodeUtf8(path)}': it is a symbolic link`, {
        path,
      });
    }
    if (node.size > maxFileSize) {
      throw new EvalIOError(
        'too-large',
        `file '${decodeUtf8(path)}' is too large to be read (${node.size} bytes)`,
        {
          path,
        },
      );
    }
    return await this.#contents(node, path);
  }

  async list(node: Node | undefined, path: Uint8Array): Promise<readonly DirectoryEntry[]> {
    if (node === undefined) throw notFound(path);
    if (node.kind !== 'directory') {
      throw new EvalIOError(
        'not-a-directory',
        `cannot read directory "${decodeUtf8(path)}": Not a directory`,
        { path },
      );
    }
    const directory = await this.directory(node);
    if (directory === undefined) throw missingContents(path);
    return Array.from(directory.entries, (entry) => ({
      name: entry.name.bytes,
      type: entry.node.kind === 'file' ? 'regular' : entry.node.kind,
    }));
  }

  readLink(node: Node | undefined, path: Uint8Array): Uint8Array {
    if (node === undefined) throw notFound(path);
    if (node.kind === 'symlink') return node.target.bytes;
    throw new EvalIOError('not-a-symlink', `path '${decodeUtf8(path)}' is not a symlink`, { path });
  }

  directory({ digest }: Pick<DirectoryNode, 'digest'>): Promise<Directory | undefined> {
    const known = this.#directories.get(digest.key);
    if (known !== undefined) return known;
    const directory = this.#castore.directories.get(digest);
    this.#directories.set(digest.key, directory);
    return directory;
  }

  async #contents(node: FileNode, path: Uint8Array): Promise<Uint8Array> {
    await using reader = await this.#castore.blobs.open(node.digest);
    if (reader === undefined) throw missingContents(path);
    return await reader.read(0, node.size);
  }
}

export function fileTypeOf(node: Node): FileType {
  if (node.kind === 'file') return node.executable ? 'executable' : 'regular';
  return node.kind;
}

function missingContents(path: Uint8Array): EvalIOError {
  return new EvalIOError(
    'io-error',
    `the contents of '${decodeUtf8(path)}' are missing in the store; 'neve store verify --repair' may get them back`,
    { path },
  );
}

/** `undefined` for what no directory can have. */
function componentsOf(rest: Uint8Array): readonly PathComponent[] | undefined {
  try {
    return parsePath(rest);
  } catch (error) {
    if (error instanceof CastoreError && error.code === 'invalid-name') return undefined;
    throw error;
  }
}
