/**
 * Directories of a service that nobody trusts: everything that it gives is hashed again, its closures must be whole and in
 * order, and it must answer a put with the right digest.
 */
import type { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import { checkClosure, checkDigest } from './closure.ts';
import type { Directory } from './directory.ts';
import { orderedPutter } from './directory-putter.ts';
import type { DirectoryPutter, DirectoryService } from './directory-service.ts';

/** Throws `CastoreError` (`corrupt`, `invalid-directory`) for lies. Disposing of it leaves `inner` open. */
export function verifiedDirectories(inner: DirectoryService): DirectoryService {
  return new VerifiedDirectories(inner);
}

class VerifiedDirectories implements DirectoryService {
  readonly #inner: DirectoryService;

  constructor(inner: DirectoryService) {
    this.#inner = inner;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    const directory = await this.#inner.get(digest, signal);
    if (directory !== undefined) checkDigest(directory, digest);
    return directory;
  }

  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory> {
    return checkClosure(digest, this.#inner.closure(digest, signal));
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    checkAnswer(await this.#inner.put(directory, signal), directory.digest);
    return directory.digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    const inner = this.#inner.putClosure(signal);
    return orderedPutter(
      {
        add: (directory) => inner.put(directory),
        commit: async (root) => {
          checkAnswer(await inner.close(), root);
          await inner[Symbol.asyncDispose]();
        },
        abort: async () => inner[Symbol.asyncDispose](),
      },
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function checkAnswer(answer: B3Digest, digest: B3Digest): void {
  if (answer.equals(digest)) return;
  throw new CastoreError(
    'corrupt',
    `the directory ${digest.toString()} was stored, and the service calls it ${answer.toString()}`,
  );
}
