/**
 * The directories that were asked for last, so that most lookups are answered at once. What is kept is bounded by the
 * number of entries; a directory that is being fetched is fetched once.
 */
import type { B3Digest } from '../../b3-digest.ts';
import type { DirectoryService } from '../../directory-service.ts';
import type { Directory } from '../../directory.ts';

const maxEntries = 100_000;

export class RecentDirectories implements Disposable {
  readonly #directories: DirectoryService;
  /** The longest unused first. */
  readonly #recent = new Map<string, Directory>();
  readonly #fetched = new Map<string, Promise<Directory | undefined>>();
  readonly #disposed = new AbortController();
  #entries = 0;

  constructor(directories: DirectoryService) {
    this.#directories = directories;
  }

  /** The directory at once when it is known, else a promise, of `undefined` when the service does not have it. */
  get(digest: B3Digest): Directory | Promise<Directory | undefined> {
    const { key } = digest;
    const known = this.#recent.get(key);
    if (known !== undefined) {
      this.#recent.delete(key);
      this.#recent.set(key, known);
      return known;
    }
    let fetched = this.#fetched.get(key);
    if (fetched === undefined) {
      fetched = this.#fetch(digest).finally(() => this.#fetched.delete(key));
      this.#fetched.set(key, fetched);
    }
    return fetched;
  }

  [Symbol.dispose](): void {
    this.#disposed.abort();
  }

  async #fetch(digest: B3Digest): Promise<Directory | undefined> {
    const directory = await this.#directories.get(digest, this.#disposed.signal);
    if (directory !== undefined) this.#keep(digest.key, directory);
    return directory;
  }

  #keep(key: string, directory: Directory): void {
    this.#recent.set(key, directory);
    this.#entries += weigh(directory);
    for (const [oldest, dropped] of this.#recent) {
      if (this.#entries <= maxEntries || oldest === key) return;
      this.#recent.delete(oldest);
      this.#entries -= weigh(dropped);
    }
  }
}

/** A directory without entries takes room as well. */
function weigh(directory: Directory): number {
  return directory.entries.length + 1;
}
