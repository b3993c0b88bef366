/**
 * The two orders in which closures of directories travel, checked while they stream.
 *
 *     leaves first   what a directory refers to came before it; at the end exactly one directory is referred to by none
 *     root first     the wanted root comes first, every other one after one that refers to it, and none is missing
 *
 * An entry must record a size that the directory may have (`Directory.hasSize`). Digests and sizes are kept, not the
 * directories. A directory that is refused changes nothing. Both throw `CastoreError` (`invalid-directory`).
 */
import { type B3Digest, digestFromKey } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import type { Directory, DirectoryEntry } from './directory.ts';
import type { DirectoryNode } from './node.ts';

/** What entries may record for a directory. */
type Sizes = { readonly size: number; readonly plainSize: number };

type ChildDirectory = DirectoryEntry & { readonly node: DirectoryNode };

/** The entries that are directories. */
export function childDirectories({ entries }: Directory): readonly ChildDirectory[] {
  return entries.filter((entry): entry is ChildDirectory => entry.node.kind === 'directory');
}

export class LeavesFirst {
  readonly #sizes = new Map<string, Sizes>();
  /** Those that nothing refers to yet. */
  readonly #roots = new Set<string>();

  /** Whether the directory is new; one that came before is ignored. */
  add(directory: Directory): boolean {
    const { key } = directory.digest;
    if (this.#sizes.has(key)) return false;
    for (const { name, node } of childDirectories(directory)) {
      const sizes = this.#sizes.get(node.digest.key);
      if (sizes === undefined) {
        throw invalid(
          `the entry '${name.toString()}' of ${directory.digest.toString()} refers to ${node.digest.toString()}, which did not come before it`,
        );
      }
      if (!allowsSize(sizes, node.size)) throw wrongSize(node, sizes);
    }
    for (const { node } of childDirectories(directory)) this.#roots.delete(node.digest.key);
    this.#sizes.set(key, { size: directory.size, plainSize: directory.plainSize });
    this.#roots.add(key);
    return true;
  }

  /** The digest of the root. Throws if there is none, or more than one. */
  finish(): B3Digest {
    const [root, other] = this.#roots;
    if (root === undefined) throw invalid('a closure needs at least one directory');
    if (other !== undefined) {
      throw invalid(
        `a closure has one root, but nothing refers to ${digestFromKey(root).toString()} and ${digestFromKey(other).toString()}`,
      );
    }
    return digestFromKey(root);
  }
}

export class RootFirst {
  /** The sizes that entries recorded for directories that are still to come. */
  readonly #awaited = new Map<string, number[]>();
  readonly #sizes = new Map<string, Sizes>();
  readonly #root: B3Digest;

  constructor(root: B3Digest) {
    this.#root = root;
    this.#awaited.set(root.key, []);
  }

  /** Whether a directory with this digest may come now. Ask before decoding what a stranger sent. */
  allows(digest: B3Digest): boolean {
    return this.#awaited.has(digest.key);
  }

  /** Throws what is to be said about a digest that is not allowed. */
  check(digest: B3Digest): void {
    if (this.allows(digest)) return;
    if (this.#sizes.size === 0)
      throw invalid(`the closure of ${this.#root.toString()} begins with ${digest.toString()}`);
    const problem = this.#sizes.has(digest.key)
      ? 'it came before'
      : 'no directory that came before refers to it';
    throw invalid(
      `${digest.toString()} may not come here in the closure of ${this.#root.toString()}: ${problem}`,
    );
  }

  add(directory: Directory): void {
    const { digest, size, plainSize } = directory;
    this.check(digest);
    const sizes = { size, plainSize };
    for (const recorded of this.#awaited.get(digest.key) ?? []) {
      if (!allowsSize(sizes, recorded)) throw wrongSize({ digest, size: recorded }, sizes);
    }
    for (const { node } of childDirectories(directory)) {
      const known = this.#sizes.get(node.digest.key);
      if (known !== undefined && !allowsSize(known, node.size)) throw wrongSize(node, known);
    }
    this.#awaited.delete(digest.key);
    this.#sizes.set(digest.key, sizes);
    for (const { node } of childDirectories(directory)) this.#await(node);
  }

  /** Throws unless the closure is complete. */
  finish(): void {
    const [missing] = this.#awaited.keys();
    if (missing === undefined) return;
    throw invalid(
      `the closure of ${this.#root.toString()} is incomplete: ${digestFromKey(missing).toString()} is missing` +
        (this.#awaited.size > 1 ? ` and ${this.#awaited.size - 1} more` : ''),
    );
  }

  #await({ digest, size }: DirectoryNode): void {
    if (this.#sizes.has(digest.key)) return;
    const recorded = this.#awaited.get(digest.key);
    if (recorded === undefined) this.#awaited.set(digest.key, [size]);
    else if (!recorded.includes(size)) recorded.push(size);
  }
}

function allowsSize({ size, plainSize }: Sizes, recorded: number): boolean {
  return recorded === size || recorded === plainSize;
}

function wrongSize(
  node: { readonly digest: B3Digest; readonly size: number },
  { size }: Sizes,
): CastoreError {
  return invalid(
    `an entry records the size ${node.size} for ${node.digest.toString()}, whose size is ${size}`,
  );
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-directory', message);
}
