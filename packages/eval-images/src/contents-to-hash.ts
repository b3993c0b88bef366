/**
 * Contents that were read and are to be hashed. Loading what hashes takes longer than most evaluations, which are small: so
 * the first contents are copied, and hashed only when there are too many of them, or when the evaluation is to be kept.
 */

/** SHA-256 in hexadecimal digits. The bytes are valid during the call. */
export type HashContents = (contents: Uint8Array, amount: HashedAmount) => string;

/** Whether all that is hashed is so little that it does not pay to load something for it, as far as is known. */
export type HashedAmount = 'little' | 'much';

type Pending = { readonly start: number; readonly end: number; readonly use: (digest: string) => void };

const firstBytes = 1 << 18;

export class ContentsToHash {
  readonly #hash: HashContents;
  #copies: Uint8Array | undefined;
  #used = 0;
  #pending: Pending[] = [];
  #isHashing = false;

  constructor(hash: HashContents) {
    this.#hash = hash;
  }

  /** Calls `use` with the digest, now or when all are hashed. The contents are not kept. */
  add(contents: Uint8Array, use: (digest: string) => void): void {
    if (contents.length > firstBytes - this.#used) {
      this.#isHashing = true;
      this.hashAll();
    }
    if (this.#isHashing) {
      use(this.#hash(contents, 'much'));
      return;
    }
    this.#copies ??= new Uint8Array(firstBytes);
    const start = this.#used;
    this.#used += contents.length;
    this.#copies.set(contents, start);
    this.#pending.push({ start, end: this.#used, use });
  }

  hashAll(): void {
    const copies = this.#copies;
    if (copies === undefined) return;
    const amount = this.#isHashing ? 'much' : 'little';
    for (const { start, end, use } of this.#pending) use(this.#hash(copies.subarray(start, end), amount));
    this.#pending = [];
    this.#used = 0;
    if (this.#isHashing) this.#copies = undefined;
  }
}
