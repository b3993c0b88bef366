/** Computes the NAR of a tree while it is imported, so that its contents need not be read again. */
import type { Hasher, HashFunctions } from '@neve/bytes';
import type { TreeObserver } from '@neve/castore';
import { NarWriter } from '@neve/nix-compat';
import type { NarCalculation } from './path-info-service.ts';

export class NarObserver implements TreeObserver {
  readonly #hasher: Hasher;
  readonly #writer: NarWriter;
  #size = 0;
  /** How many directories are open; the root has no name in a NAR. */
  #depth = 0;
  #isComplete = true;

  constructor(hashes: HashFunctions) {
    const hasher = hashes.create('sha256');
    this.#hasher = hasher;
    this.#writer = new NarWriter((bytes) => {
      this.#size += bytes.length;
      hasher.update(bytes);
    });
  }

  /** Once, at the end. `undefined` when not all of the tree was seen. */
  result(): NarCalculation | undefined {
    if (!this.#isComplete) return undefined;
    this.#writer.end();
    return { narSize: this.#size, narHash: this.#hasher.digest() };
  }

  startDirectory(name: Uint8Array): void {
    this.#entry(name);
    this.#writer.startDirectory();
    this.#depth++;
  }

  endDirectory(): void {
    this.#writer.endDirectory();
    this.#depth--;
  }

  symlink(name: Uint8Array, target: Uint8Array): void {
    this.#entry(name);
    this.#writer.symlink(target);
  }

  startFile(
    name: Uint8Array,
    { size, executable }: { readonly size: number; readonly executable: boolean },
  ): void {
    this.#entry(name);
    this.#writer.startRegular(size, executable);
  }

  contents(bytes: Uint8Array): void {
    this.#writer.contents(bytes);
  }

  endFile(): void {
    this.#writer.endRegular();
  }

  incomplete(): void {
    this.#isComplete = false;
  }

  #entry(name: Uint8Array): void {
    // The writer keeps the name to compare it with the next one, and the observer may not.
    if (this.#depth > 0) this.#writer.entry(new Uint8Array(name));
  }
}
