/**
 * A directory: names, each with a node, in bytewise order and no name twice. Immutable; its digest is made when it is first
 * asked for and kept.
 *
 * `size` is what parents record. The schema of Snix says that it counts the entries and adds the sizes of the
 * directories; Snix itself counts every entry twice, and refuses a closure that does not. Neve writes what Snix writes and
 * accepts both (ADR 0009).
 */
import { B3Digest } from './b3-digest.ts';
import { hashBlake3 } from './blake3.ts';
import { CastoreError } from './castore-error.ts';
import { decodeDirectoryEntries, encodeDirectory } from './directory-encoding.ts';
import type { DirectoryNode, Node } from './node.ts';
import type { PathComponent } from './path-component.ts';

export type DirectoryEntry = { readonly name: PathComponent; readonly node: Node };

export class Directory {
  /** In bytewise order of the names. */
  readonly entries: readonly DirectoryEntry[];
  /** What a parent records for this directory. */
  readonly size: number;
  #encoded: Uint8Array | undefined;
  #digest: B3Digest | undefined;

  /** `entries` are in order already; `directoryOf` sorts and checks. */
  private constructor(entries: readonly DirectoryEntry[], size: number) {
    this.entries = entries;
    this.size = size;
  }

  /** Throws `CastoreError` (`invalid-directory`) when names are not strictly ascending or the size is beyond 2^53 - 1. */
  static fromSorted(entries: readonly DirectoryEntry[]): Directory {
    let size = 0;
    let last: PathComponent | undefined;
    for (const { name, node } of entries) {
      const order = last === undefined ? -1 : last.compare(name);
      if (order === 0)
        throw new CastoreError('invalid-directory', `a directory has two entries named '${name.toString()}'`);
      if (order > 0)
        throw new CastoreError('invalid-directory', `the entry '${name.toString()}' is out of order`);
      last = name;
      size += 2 + (node.kind === 'directory' ? node.size : 0);
    }
    if (size > Number.MAX_SAFE_INTEGER) {
      throw new CastoreError('invalid-directory', 'the size of a directory is above 2^53 - 1');
    }
    return new Directory(entries, size);
  }

  /** Sorts the entries. Throws as `fromSorted` does. */
  static of(entries: Iterable<DirectoryEntry>): Directory {
    return Directory.fromSorted([...entries].sort((a, b) => a.name.compare(b.name)));
  }

  /**
   * Reads the canonical encoding. Throws `CastoreError` (`invalid-directory`); `encoded` is `bytes` itself. Whoever gives a
   * `digest` has made it of the bytes, or answers for it.
   */
  static decode(bytes: Uint8Array, digest?: B3Digest): Directory {
    const directory = Directory.fromSorted(decodeDirectoryEntries(bytes));
    directory.#encoded = bytes;
    directory.#digest = digest;
    return directory;
  }

  /** The size as the schema defines it: entries and the sizes of directories, each counted once. */
  get plainSize(): number {
    return this.entries.reduce((sum, { node }) => sum + 1 + (node.kind === 'directory' ? node.size : 0), 0);
  }

  /** Whether a parent may record `size` for this directory. */
  hasSize(size: number): boolean {
    return size === this.size || size === this.plainSize;
  }

  /** The canonical encoding, whose hash is the digest. The bytes must not be changed. */
  get encoded(): Uint8Array {
    this.#encoded ??= encodeDirectory(this.entries);
    return this.#encoded;
  }

  get digest(): B3Digest {
    this.#digest ??= new B3Digest(hashBlake3(this.encoded));
    return this.#digest;
  }

  /** The directory as an entry of a parent. */
  get node(): DirectoryNode {
    return { kind: 'directory', digest: this.digest, size: this.size };
  }

  get(name: PathComponent): Node | undefined {
    let low = 0;
    let high = this.entries.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle];
      if (entry === undefined) return undefined;
      const order = entry.name.compare(name);
      if (order === 0) return entry.node;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

export const emptyDirectory: Directory = Directory.fromSorted([]);
