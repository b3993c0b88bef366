/**
 * Sees the files of a tree while they are imported, in the order of an archive: depth first, the names of a directory in
 * bytewise order. So what an archive of the tree would be can be computed without reading it again.
 */
export interface TreeObserver {
  startDirectory(name: Uint8Array): void;
  endDirectory(): void;
  symlink(name: Uint8Array, target: Uint8Array): void;
  /** `size` is in bytes; it is a promise that `incomplete` takes back if need be. */
  startFile(name: Uint8Array, file: { readonly size: number; readonly executable: boolean }): void;
  /** The next bytes of the file, valid during the call. */
  contents(bytes: Uint8Array): void;
  endFile(): void;
  /** Something was not seen: a file that did not have to be read, or that changed meanwhile. Nothing else follows. */
  incomplete(): void;
}
