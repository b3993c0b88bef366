/**
 * The tree that the members of an archive make, in whatever order they come. It holds names and values, never
 * contents: whoever adds a file has put its contents somewhere, and `Value` says where. When all are added, the
 * entries come children before parents, names of a directory in bytewise order, the root last.
 *
 * A missing parent is made. What two members say about one path:
 *
 *     later          earlier: directory          earlier: file or symlink
 *     directory      both are one                refused
 *     anything else  takes its place if empty,   takes its place
 *                    else refused
 *
 * A member below a file or a symlink is refused, so nothing is ever reached through a link. A hard link is the file,
 * or symlink, that the earlier member is at that moment; it may name itself.
 */
import { byteKey, compareBytes } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';
import {
  type ArchiveDirectory,
  type ArchiveFile,
  type ArchiveHardlink,
  type ArchivePath,
  type ArchiveSymlink,
  showArchivePath,
} from './archive-member.ts';

/** A file whose contents are somewhere already. */
export type StoredFile<Value> = Omit<ArchiveFile, 'contents'> & { readonly value: Value };

/** Paths are relative to the root of the tree, which is the empty path. */
export type ArchiveTreeEntry<Value> = ArchiveDirectory | StoredFile<Value> | ArchiveSymlink;

/**
 * What becomes the root.
 *
 *     always            the one entry at the top; another number of them is refused
 *     single-directory  the one entry at the top if it is a directory, else as `never` (fetchTarball of Nix 2.34)
 *     never             a directory with all entries at the top
 */
export type StripRoot = 'always' | 'single-directory' | 'never';

type DirectoryNode<Value> = { readonly kind: 'directory'; readonly children: Map<string, Child<Value>> };
type FileNode<Value> = {
  readonly kind: 'file';
  readonly executable: boolean;
  readonly sizeBytes: number;
  readonly value: Value;
};
type SymlinkNode = { readonly kind: 'symlink'; readonly target: Uint8Array };
type Leaf<Value> = FileNode<Value> | SymlinkNode;
type Node<Value> = DirectoryNode<Value> | Leaf<Value>;
type Child<Value> = { readonly name: Uint8Array; node: Node<Value> };

export class ArchiveTree<Value> {
  readonly #root: DirectoryNode<Value> = newDirectory();

  /** Throws `CastoreError` (`invalid-archive`) if the member cannot stand beside the earlier ones. */
  add(member: ArchiveDirectory | StoredFile<Value> | ArchiveSymlink | ArchiveHardlink): void {
    const { path } = member;
    switch (member.kind) {
      case 'directory':
        this.#directory(path, path.length);
        return;
      case 'file': {
        const { executable, sizeBytes, value } = member;
        this.#place(path, { kind: 'file', executable, sizeBytes, value });
        return;
      }
      case 'symlink':
        this.#place(path, { kind: 'symlink', target: member.target });
        return;
      case 'hardlink':
        this.#place(path, this.#linked(path, member.target));
    }
  }

  /** All entries, children before parents, the root last. Throws `CastoreError` (`invalid-archive`). */
  *entries(strip: StripRoot): Generator<ArchiveTreeEntry<Value>, void, void> {
    yield* walk(this.#stripped(strip));
  }

  #stripped(strip: StripRoot): Node<Value> {
    if (strip === 'never') return this.#root;
    const top = [...this.#root.children.values()];
    const only = top.length === 1 ? top[0]?.node : undefined;
    if (strip === 'single-directory') return only?.kind === 'directory' ? only : this.#root;
    if (only !== undefined) return only;
    const names = top.slice(0, 3).map(({ name }) => showArchivePath([name]));
    const shown = names.length === 0 ? '' : `: ${names.join(', ')}${top.length > 3 ? ' and others' : ''}`;
    throw invalid(`the archive must have exactly one entry at its top, but it has ${top.length}${shown}`);
  }

  /** The directory of the first `length` components, made where it is missing. */
  #directory(path: ArchivePath, length: number): DirectoryNode<Value> {
    let directory = this.#root;
    for (let depth = 0; depth < length; depth++) {
      const name = path[depth] as Uint8Array;
      const key = byteKey(name);
      let child = directory.children.get(key);
      if (child === undefined) {
        child = { name, node: newDirectory() };
        directory.children.set(key, child);
      }
      if (child.node.kind !== 'directory')
        throw notDirectory(path, path.slice(0, depth + 1), child.node.kind);
      directory = child.node;
    }
    return directory;
  }

  #place(path: ArchivePath, node: Leaf<Value>): void {
    const name = path.at(-1);
    if (name === undefined) throw invalid(`the root of the archive cannot be a ${node.kind}`);
    const { children } = this.#directory(path, path.length - 1);
    const key = byteKey(name);
    const present = children.get(key);
    if (present === undefined) children.set(key, { name, node });
    else if (present.node.kind !== 'directory' || present.node.children.size === 0) present.node = node;
    else
      throw invalid(
        `${showArchivePath(path)} is in the archive as a ${node.kind} and as a directory with entries`,
      );
  }

  #linked(path: ArchivePath, target: ArchivePath): Leaf<Value> {
    let node: Node<Value> | undefined = this.#root;
    for (const name of target) {
      node = node?.kind === 'directory' ? node.children.get(byteKey(name))?.node : undefined;
    }
    if (node !== undefined && node.kind !== 'directory') return node;
    const problem = node === undefined ? 'no earlier member is' : 'is a directory';
    throw invalid(
      `the hard link ${showArchivePath(path)} leads to ${showArchivePath(target)}, which ${problem}`,
    );
  }
}

/** An explicit stack: an archive may nest deeper than calls can. */
function* walk<Value>(root: Node<Value>): Generator<ArchiveTreeEntry<Value>, void, void> {
  if (root.kind !== 'directory') {
    yield { path: [], ...root };
    return;
  }
  const path: Uint8Array[] = [];
  /** What is still to come of the root and of each directory in `path`, the next entry last. */
  const open: Child<Value>[][] = [childrenBackwards(root)];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.pop();
    if (child === undefined) {
      yield { kind: 'directory', path: path.slice() };
      open.pop();
      path.pop();
      continue;
    }
    if (child.node.kind === 'directory') {
      path.push(child.name);
      open.push(childrenBackwards(child.node));
    } else yield { path: [...path, child.name], ...child.node };
  }
}

function childrenBackwards<Value>({ children }: DirectoryNode<Value>): Child<Value>[] {
  return [...children.values()].sort((a, b) => compareBytes(b.name, a.name));
}

function newDirectory<Value>(): DirectoryNode<Value> {
  return { kind: 'directory', children: new Map() };
}

function notDirectory(path: ArchivePath, at: ArchivePath, kind: string): CastoreError {
  if (path.length === at.length) {
    return invalid(`${showArchivePath(path)} is in the archive as a ${kind} and later as a directory`);
  }
  return invalid(`the member ${showArchivePath(path)} lies below ${showArchivePath(at)}, which is a ${kind}`);
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-archive', message);
}
