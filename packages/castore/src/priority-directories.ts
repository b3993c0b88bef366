/**
 * Several services as one, asked in ascending order of their priorities. One that fails is passed over; its error is thrown
 * only when none of the others has what was asked for. When one fails in the middle of a closure, the next goes on with it.
 * Writes go to the first that does not refuse them as `unsupported`, and to no other.
 */
import type { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import type { Directory } from './directory.ts';
import type { DirectoryPutter, DirectoryService } from './directory-service.ts';

export type PrioritizedDirectories = { readonly priority: number; readonly service: DirectoryService };

/** Services of the same priority keep the order in which they are given. Disposing of it leaves them open. */
export function priorityDirectories(services: readonly PrioritizedDirectories[]): DirectoryService {
  const sorted = [...services].sort((a, b) => a.priority - b.priority);
  return new PriorityDirectories(sorted.map(({ service }) => service));
}

class PriorityDirectories implements DirectoryService {
  readonly #services: readonly DirectoryService[];

  constructor(services: readonly DirectoryService[]) {
    this.#services = services;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    const errors: unknown[] = [];
    for (const service of this.#services) {
      try {
        const directory = await service.get(digest, signal);
        if (directory !== undefined) return directory;
      } catch (error) {
        signal?.throwIfAborted();
        errors.push(error);
      }
    }
    throwFirst(errors);
    return undefined;
  }

  async *closure(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<Directory, void, void> {
    const errors: unknown[] = [];
    const given = new Set<string>();
    for (const service of this.#services) {
      let isThere = false;
      try {
        for await (const directory of service.closure(digest, signal)) {
          isThere = true;
          if (given.has(directory.digest.key)) continue;
          given.add(directory.digest.key);
          yield directory;
        }
        if (isThere) return;
      } catch (error) {
        signal?.throwIfAborted();
        errors.push(error);
      }
    }
    throwFirst(errors);
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    let refusal: CastoreError | undefined;
    for (const service of this.#services) {
      try {
        return await service.put(directory, signal);
      } catch (error) {
        if (!isUnsupported(error)) throw error;
        refusal ??= error;
      }
    }
    throw refusal ?? nothingToWriteTo();
  }

  /** The first whose `putClosure` does not throw `unsupported`; what it throws later is final. */
  putClosure(signal?: AbortSignal): DirectoryPutter {
    let refusal: CastoreError | undefined;
    for (const service of this.#services) {
      try {
        return service.putClosure(signal);
      } catch (error) {
        if (!isUnsupported(error)) throw error;
        refusal ??= error;
      }
    }
    throw refusal ?? nothingToWriteTo();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors[0];
}

function isUnsupported(error: unknown): error is CastoreError {
  return error instanceof CastoreError && error.code === 'unsupported';
}

function nothingToWriteTo(): CastoreError {
  return new CastoreError('unsupported', 'there is no directory service to write to');
}
