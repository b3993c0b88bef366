/**
 * Narinfos as they are sent, by hash part, so that one that is asked for often costs no more than its bytes. Bounded in memory
 * and in age: what other processes do to the store is seen when an entry has expired. Whoever changes path infos in this
 * process says so by `forget`, after which nothing is kept that was read before.
 */
import { RecentMap } from './recent-map.ts';
import type { EncodedText } from './encoded-text.ts';

export type NarInfoIndexOptions = {
  /** Of all texts together; 64 MiB unless given. */
  readonly maxBytes?: number;
  /** 15 s unless given. */
  readonly maxAgeMs?: number;
  readonly now?: () => number;
};

/** What an entry costs beside its text. */
const entryBytes = 512;

export class NarInfoIndex {
  readonly #texts: RecentMap<EncodedText>;
  #changes = 0;

  constructor({ maxBytes = 64 << 20, maxAgeMs = 15_000, now }: NarInfoIndexOptions = {}) {
    this.#texts = new RecentMap({ maxCost: maxBytes, maxAgeMs, ...(now !== undefined && { now }) });
  }

  get(hashPart: string): EncodedText | undefined {
    return this.#texts.get(hashPart);
  }

  /** How often something was forgotten. Whoever reads a path info asks for it before. */
  get changes(): number {
    return this.#changes;
  }

  /** Nothing is kept if something was forgotten since `changes` was asked for: it could be what was just read. */
  set(hashPart: string, text: EncodedText, changes: number): void {
    if (changes !== this.#changes) return;
    // Its encodings may come to as much as itself.
    this.#texts.set(hashPart, text, entryBytes + 2 * text.bytes.length);
  }

  forget(hashPart: string): void {
    this.#changes++;
    this.#texts.delete(hashPart);
  }
}
