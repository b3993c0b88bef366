/**
 * The compressed NAR on its way, compared with what the narinfo says of it: no more bytes than there should be, and in the
 * end as many, with the right digest.
 */
import type { Digest, Hasher, HashFunctions } from '@neve/bytes';
import type { NarInfo } from '@neve/nix-compat';
import { StoreError } from '../../store-error.ts';

export type CheckedDownloadOptions = {
  readonly narInfo: NarInfo;
  readonly hashes: HashFunctions;
  /** What is downloaded and from where, for messages. */
  readonly subject: string;
};

export class CheckedDownload implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #size: number | undefined;
  readonly #hash: Digest | undefined;
  readonly #hasher: Hasher | undefined;
  readonly #subject: string;
  #received = 0;
  #isWhole = false;

  constructor(source: AsyncIterable<Uint8Array>, { narInfo, hashes, subject }: CheckedDownloadOptions) {
    const { fileHash, fileSize, narHash, compression } = narInfo;
    this.#source = source;
    this.#size = fileSize;
    // The same bytes are not hashed twice.
    const isNarItself = compression === 'none' && fileHash?.equals(narHash) === true;
    this.#hash = isNarItself ? undefined : fileHash;
    this.#hasher = this.#hash === undefined ? undefined : hashes.create('sha256');
    this.#subject = subject;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#source) {
      this.#received += piece.length;
      if (this.#size !== undefined && this.#received > this.#size) {
        throw this.#corrupt(`the file has more bytes than its FileSize, ${this.#size}`);
      }
      this.#hasher?.update(piece);
      yield piece;
    }
    this.#isWhole = true;
  }

  /** Throws `StoreError` (`corrupt`) unless all of it was read and it was what it should be. */
  finish(): void {
    if (!this.#isWhole) throw this.#corrupt('something follows the end of the compressed NAR');
    if (this.#size !== undefined && this.#received !== this.#size) {
      throw this.#corrupt(`the file has ${this.#received} bytes, and its FileSize is ${this.#size}`);
    }
    if (this.#hash === undefined || this.#hasher === undefined) return;
    const found = this.#hasher.digest();
    if (!found.equals(this.#hash)) {
      throw this.#corrupt(
        `the file has the hash ${found.format('sri')}, and its FileHash is ${this.#hash.format('sri')}`,
      );
    }
  }

  #corrupt(problem: string): StoreError {
    return new StoreError('corrupt', `${this.#subject}: ${problem}; nothing of it was stored`);
  }
}
