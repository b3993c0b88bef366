/**
 * Objects: byte strings under keys, as cloud stores and folders have them.
 *
 * A key is components with `/` between them, without empty ones, `.` and `..`. An object is replaced as a whole, and is
 * there for everybody, durably, when `put` is fulfilled. Methods throw `CastoreError`: `io` when the world behind the
 * store fails, with a message that names the store and the key; `unsupported` where the store cannot do that.
 */
import { CastoreError } from './castore-error.ts';

export interface ObjectStore extends AsyncDisposable {
  /** Names the store in messages, without credentials. */
  readonly label: string;

  /** All of the object, which must not be changed; `undefined` when it is not there. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined>;

  /** A part of the object, shorter where it ends. Throws `not-found` when there is no object. */
  getRange(key: string, range: ObjectRange, signal?: AbortSignal): Promise<Uint8Array>;

  /** The bytes must not change until the promise is fulfilled. */
  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;

  /** `undefined` when there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined>;

  /** Objects whose keys begin with `prefix`, which is empty or ends with `/`; in no order. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ListedObject>;

  /** Whether it was there or not. */
  delete(key: string, signal?: AbortSignal): Promise<void>;
}

/** In bytes. */
export type ObjectRange = { readonly offset: number; readonly length: number };

/** `size` is in bytes, the time in milliseconds since 1970. */
export type ObjectInfo = { readonly size: number; readonly lastModifiedMs: number };

export type ListedObject = ObjectInfo & { readonly key: string };

/** Objects in the memory of this process. */
export function memoryObjectStore(): ObjectStore {
  return new MemoryObjectStore();
}

/** Throws `CastoreError` (`unsupported`) for a key that has empty components, `.`, `..` or a NUL character. */
export function checkObjectKey(key: string): void {
  const valid = key.split('/').every((it) => it !== '' && it !== '.' && it !== '..' && !it.includes('\0'));
  if (!valid) throw new CastoreError('unsupported', `'${key}' cannot be the key of an object`);
}

type StoredObject = { readonly bytes: Uint8Array; readonly lastModifiedMs: number };

class MemoryObjectStore implements ObjectStore {
  readonly label = 'the object store in memory';
  readonly #objects: Map<string, StoredObject> = new Map();

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    return this.#objects.get(key)?.bytes;
  }

  async getRange(key: string, { offset, length }: ObjectRange, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.get(key, signal);
    if (bytes === undefined) throw new CastoreError('not-found', `${this.label} has no object '${key}'`);
    return bytes.subarray(offset, offset + length);
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkObjectKey(key);
    this.#objects.set(key, { bytes: new Uint8Array(bytes), lastModifiedMs: Date.now() });
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    signal?.throwIfAborted();
    const object = this.#objects.get(key);
    return object && { size: object.bytes.length, lastModifiedMs: object.lastModifiedMs };
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject, void, void> {
    for (const [key, { bytes, lastModifiedMs }] of this.#objects) {
      signal?.throwIfAborted();
      if (key.startsWith(prefix)) yield { key, size: bytes.length, lastModifiedMs };
    }
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#objects.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#objects.clear();
  }
}
