/**
 * What every importer yields: one entry for each file-system object of a tree. The rules:
 *
 *   - an entry comes after all entries below it, and the root comes last;
 *   - every directory has an entry of its own, no path comes twice;
 *   - what a file's digest names was stored before the root comes.
 *
 * Paths are relative to the root, which has the empty path.
 */
import type { B3Digest } from './b3-digest.ts';
import type { PathComponent, SymlinkTarget } from './path-component.ts';

export type IngestionPath = readonly PathComponent[];

export type IngestionEntry =
  | { readonly kind: 'directory'; readonly path: IngestionPath }
  | {
      readonly kind: 'file';
      readonly path: IngestionPath;
      readonly digest: B3Digest;
      /** In bytes. */
      readonly size: number;
      readonly executable: boolean;
    }
  | { readonly kind: 'symlink'; readonly path: IngestionPath; readonly target: SymlinkTarget };
