/**
 * The hash of the NAR of a single file, made while the file passes by. A NAR has the length of a file in front of its
 * contents, so the size has to be known beforehand; if it proves wrong, there is no hash.
 */
import type { Digest, HashAlgorithm, HashFunctions, Hasher } from '@neve/bytes';
import { NarWriter } from '@neve/nix-compat';

export type FileNarOptions = {
  readonly hashes: HashFunctions;
  readonly algorithm: HashAlgorithm;
  /** In bytes, as somebody said it. */
  readonly size: number;
  readonly executable: boolean;
};

export class FileNar {
  readonly #hasher: Hasher;
  readonly #writer: NarWriter;
  #missing: number;
  #narSize = 0;

  constructor({ hashes, algorithm, size, executable }: FileNarOptions) {
    this.#hasher = hashes.create(algorithm);
    this.#missing = size;
    this.#writer = new NarWriter((bytes) => {
      this.#narSize += bytes.length;
      this.#hasher.update(bytes);
    });
    this.#writer.startRegular(size, executable);
  }

  update(piece: Uint8Array): void {
    this.#missing -= piece.length;
    if (this.#missing >= 0) this.#writer.contents(piece);
  }

  /** `undefined` when the file had another size. */
  finish(): { readonly digest: Digest; readonly narSize: number } | undefined {
    if (this.#missing !== 0) return undefined;
    this.#writer.endRegular();
    this.#writer.end();
    return { digest: this.#hasher.digest(), narSize: this.#narSize };
  }
}
