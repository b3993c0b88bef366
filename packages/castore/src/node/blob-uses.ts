/**
 * When blobs were used last in this process, for stores that cannot note it cheaply, and which are being removed.
 *
 * Only the blobs used last are remembered; of the others nobody asks whether they were used just now.
 */
import type { B3Digest } from '../b3-digest.ts';

const rememberedBlobs = 262_144;

export class BlobUses {
  /** The oldest first. */
  readonly #times: Map<string, number> = new Map();
  readonly #removals: Map<string, Promise<unknown>> = new Map();

  /** Notes a use. When the blob is just being removed, waits until it has gone, so that nobody relies on it. */
  async use({ key }: B3Digest): Promise<void> {
    this.#times.delete(key);
    this.#times.set(key, Date.now());
    for (const oldest of this.#times.keys()) {
      if (this.#times.size <= rememberedBlobs) break;
      this.#times.delete(oldest);
    }
    await this.#removals.get(key);
  }

  lastUseMs({ key }: B3Digest): number {
    return this.#times.get(key) ?? 0;
  }

  /** Removes a blob unless it was used since; says whether it did. */
  async remove({ key }: B3Digest, unusedSinceMs: number, remove: () => Promise<void>): Promise<boolean> {
    if ((this.#times.get(key) ?? 0) >= unusedSinceMs) return false;
    const removal = remove().finally(() => this.#removals.delete(key));
    this.#removals.set(
      key,
      removal.catch(() => undefined),
    );
    await removal;
    return true;
  }
}
