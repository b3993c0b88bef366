// The trees of files that many evaluations read, such as nixpkgs: the host names them. What a file of one of them
// evaluates to goes into the shared region of the heap.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Value } from "../values/value";
import { stringBytes, stringLength } from "../values/string";

/** [next tree or 0][length][bytes: the path of the directory and a slash] */
let trees: Address = 0;

/** Adds a tree: the path of its directory, with a slash at the end. */
export function addSharedTree(bytes: Address, length: u32): void {
  const tree = allocatePermanent(8 + length);
  store<u32>(tree, <u32>trees);
  store<u32>(tree, length, 4);
  memory.copy(tree + 8, bytes, length);
  trees = tree;
}

/** Whether `path`, a PATH, is in a shared tree. */
export function isInSharedTree(path: Value): bool {
  let tree = trees;
  while (tree != 0) {
    const length = load<u32>(tree, 4);
    if (stringLength(path) > length && memory.compare(stringBytes(path), tree + 8, length) == 0) return true;
    tree = load<u32>(tree);
  }
  return false;
}

/** The function by which all ways to a package set of nixpkgs lead: what it makes is kept by its argument. */
const PACKAGE_SET = "/pkgs/top-level/default.nix";

/** Whether `path`, a PATH or 0, is the file of a function whose results are worth keeping. */
export function hasSharedFunction(path: Value): bool {
  if (path == 0 || !isInSharedTree(path)) return false;
  const length = <u32>PACKAGE_SET.length;
  if (stringLength(path) < length) return false;
  const end = stringBytes(path) + stringLength(path) - length;
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(end + i) != <u8>PACKAGE_SET.charCodeAt(i)) return false;
  }
  return true;
}
