/**
 * Finds the trees of nixpkgs that an evaluation reads, and names them to the core, which keeps apart what follows from them
 * alone (`assembly/images`). A directory is one when it has the file below; the file system is asked once for each directory.
 */
import { byteKey, concatBytes, encodeUtf8 } from '@neve/bytes';
import type { Core } from './core.ts';
import { type EvalIO, EvalIOError } from './eval-io.ts';

/** A directory with this file is a package tree. */
export const treeSign = 'pkgs/top-level/default.nix';
const sign = encodeUtf8(treeSign);
const slash = 0x2f;

export class SharedTrees {
  readonly #core: Core;
  readonly #io: EvalIO;
  /** Directories, with a slash at the end, which are no trees, and in none. */
  readonly #plain = new Set<string>();
  readonly #trees: string[] = [];
  readonly #beforeFirst: (file: Uint8Array) => void;

  constructor(core: Core, io: EvalIO, beforeFirst: (file: Uint8Array) => void = () => undefined) {
    this.#core = core;
    this.#io = io;
    this.#beforeFirst = beforeFirst;
  }

  /** Looks at what is above a file that is about to be evaluated. */
  note(file: Uint8Array): void {
    const end = file.lastIndexOf(slash) + 1;
    const key = byteKey(file.subarray(0, end));
    if (this.#plain.has(key) || this.#trees.some((tree) => key.startsWith(tree))) return;
    for (let at = end; at > 1; at = file.lastIndexOf(slash, at - 2) + 1) {
      const directory = file.subarray(0, at);
      if (!this.#isTree(directory)) continue;
      if (this.#trees.length === 0) this.#beforeFirst(file);
      this.#trees.push(byteKey(directory));
      this.#core.exports.shareTree(this.#core.write(directory));
      return;
    }
    this.#plain.add(key);
  }

  #isTree(directory: Uint8Array): boolean {
    try {
      const type = this.#io.fileType(concatBytes([directory, sign]));
      if (!(type instanceof Promise)) return type === 'regular';
      // Worlds that answer late do without.
      type.catch(() => {});
      return false;
    } catch (error) {
      if (error instanceof EvalIOError) return false;
      throw error;
    }
  }
}
