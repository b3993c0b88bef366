/**
 * The numbers by which the kernel knows nodes, from when it is told one until it forgets it.
 *
 * Files and symbolic links are numbered by their contents, so that the same contents are in the kernel's cache once. The
 * executable bit belongs to that: attributes are the kernel's by number too. Directories are numbered by their place,
 * because the kernel keeps a directory at one place only: it would move one that is found again elsewhere, and take with
 * it whoever works there; and `cp -r` refuses two directories with one number. Numbers are never used again.
 */
import type { Node } from '../../node.ts';
import type { PathComponent } from '../../path-component.ts';

export const rootNodeId = 1;

export type Inode = {
  readonly nodeId: number;
  /** Where a directory is; the root is in itself. For files it is 0. */
  readonly parentId: number;
  readonly node: Node;
};

type Known = Inode & { readonly key: string; references: number };

export class InodeTable {
  readonly #byId = new Map<number, Known>();
  readonly #byKey = new Map<string, Known>();
  #nextId = rootNodeId + 1;

  /** How many nodes the kernel knows, the root not counted. */
  get size(): number {
    return this.#byId.size;
  }

  get(nodeId: number): Inode | undefined {
    return this.#byId.get(nodeId);
  }

  /** The inode of a node that the kernel is told about once more. */
  refer(parentId: number, name: PathComponent, node: Node): Inode {
    const key = keyOf(parentId, name, node);
    let inode = this.#byKey.get(key);
    if (inode === undefined) {
      inode = {
        nodeId: this.#nextId++,
        parentId: node.kind === 'directory' ? parentId : 0,
        node,
        key,
        references: 0,
      };
      this.#byKey.set(key, inode);
      this.#byId.set(inode.nodeId, inode);
    }
    inode.references++;
    return inode;
  }

  /** The kernel was told `count` times, and has forgotten that. */
  forget(nodeId: number, count: number): void {
    const inode = this.#byId.get(nodeId);
    if (inode === undefined) return;
    inode.references -= count;
    if (inode.references > 0) return;
    this.#byId.delete(nodeId);
    this.#byKey.delete(inode.key);
  }
}

function keyOf(parentId: number, name: PathComponent, node: Node): string {
  switch (node.kind) {
    case 'directory':
      return `d${parentId}/${latin1(name.bytes)}/${node.digest.key}`;
    case 'file':
      return `${node.executable ? 'x' : 'f'}${node.size}/${node.digest.key}`;
    case 'symlink':
      return `s${latin1(node.target.bytes)}`;
  }
}

/** One character a byte. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
