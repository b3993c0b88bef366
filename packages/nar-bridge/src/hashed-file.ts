/** A file that is received: hashed and counted while it is read by somebody else, and compared with what it should be. */
import type { Digest, Hasher, HashFunctions } from '@neve/bytes';
import { NarBridgeError } from './nar-bridge-error.ts';

export type HashedFileOptions = {
  readonly hashes: HashFunctions;
  /** SHA-256. */
  readonly expected: Digest;
  readonly maxBytes: number;
};

/** Enough to tell a compression by. */
const headLength = 16;

export class HashedFile implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: HashedFileOptions;
  readonly #hasher: Hasher;
  readonly #head: number[] = [];
  #isWhole = false;
  /** So far. */
  size = 0;

  constructor(source: AsyncIterable<Uint8Array>, options: HashedFileOptions) {
    this.#source = source;
    this.#options = options;
    this.#hasher = options.hashes.create('sha256');
  }

  /** The first bytes, of what was read. */
  get head(): Uint8Array {
    return Uint8Array.from(this.#head);
  }

  /** Throws `NarBridgeError` (`too-large`), and what the source throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    const { maxBytes } = this.#options;
    for await (const piece of this.#source) {
      this.size += piece.length;
      if (this.size > maxBytes) {
        throw new NarBridgeError(
          'too-large',
          `the file has more than the ${maxBytes} bytes that are allowed`,
        );
      }
      if (this.#head.length < headLength)
        this.#head.push(...piece.subarray(0, headLength - this.#head.length));
      this.#hasher.update(piece);
      yield piece;
    }
    this.#isWhole = true;
  }

  /** Throws `NarBridgeError` (`mismatch`) unless all of it was read and is what was expected. */
  finish(): void {
    const { expected } = this.#options;
    if (!this.#isWhole)
      throw new NarBridgeError('mismatch', 'something follows the end of the compressed NAR');
    const found = this.#hasher.digest();
    if (found.equals(expected)) return;
    throw new NarBridgeError(
      'mismatch',
      `the file has the SHA-256 ${found.format('nix32')}, and its name says ${expected.format('nix32')}`,
    );
  }
}
