/**
 * Contents that were read and are to be hashed: copied one after the other into one array, since hashing them one by one
 * in the middle of an evaluation would load a library that most evaluations, which are small, can do without.
 */

/** SHA-256 in hexadecimal digits. The bytes are valid during the call. */
export type HashContents = (contents: Uint8Array) => string;

type Pending = { readonly start: number; readonly end: number; readonly use: (digest: string) => void };

const arenaBytes = 4 << 20;

export class ContentsToHash {
  readonly #hash: HashContents;
  #arena = new Uint8Array();
  #used = 0;
  #pending: Pending[] = [];

  constructor(hash: HashContents) {
    this.#hash = hash;
  }

  /** Calls `use` with the digest, now or when all are hashed. The contents are not kept. */
  add(contents: Uint8Array, use: (digest: string) => void): void {
    if (contents.length > arenaBytes) {
      use(this.#hash(contents));
      return;
    }
    if (contents.length > this.#arena.length - this.#used) this.#makeRoom(contents.length);
    const start = this.#used;
    this.#used += contents.length;
    this.#arena.set(contents, start);
    this.#pending.push({ start, end: this.#used, use });
  }

  hashAll(): void {
    for (const { start, end, use } of this.#pending) use(this.#hash(this.#arena.subarray(start, end)));
    this.#pending = [];
    this.#used = 0;
  }

  #makeRoom(sizeBytes: number): void {
    this.hashAll();
    const wanted = Math.max(sizeBytes, this.#arena.length === 0 ? 1 << 18 : arenaBytes);
    if (this.#arena.length < wanted) this.#arena = new Uint8Array(wanted);
  }
}
