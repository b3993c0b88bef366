/**
 * A node: one file-system object by its content. What is under a directory or in a file is named by its digest, so a node
 * is small whatever it stands for. Nodes have no names of their own; a directory gives names to its entries.
 */
import type { B3Digest } from './b3-digest.ts';
import type { SymlinkTarget } from './path-component.ts';

export type Node = DirectoryNode | FileNode | SymlinkNode;

/** `size` is the directory's `Directory.size`, which its parents repeat. */
export type DirectoryNode = { readonly kind: 'directory'; readonly digest: B3Digest; readonly size: number };

/** `digest` names the blob with the contents, `size` is their length in bytes. */
export type FileNode = {
  readonly kind: 'file';
  readonly digest: B3Digest;
  readonly size: number;
  readonly executable: boolean;
};

export type SymlinkNode = { readonly kind: 'symlink'; readonly target: SymlinkTarget };

export function equalNodes(a: Node, b: Node): boolean {
  switch (a.kind) {
    case 'directory':
      return b.kind === 'directory' && a.size === b.size && a.digest.equals(b.digest);
    case 'file':
      return (
        b.kind === 'file' && a.size === b.size && a.executable === b.executable && a.digest.equals(b.digest)
      );
    case 'symlink':
      return b.kind === 'symlink' && a.target.equals(b.target);
  }
}
