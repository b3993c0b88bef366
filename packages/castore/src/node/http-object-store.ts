/**
 * Objects as the files of a web server, for reading only: the key is the path below the base URL. Requests that fail for a
 * reason that may pass are tried again (`HttpClient`). Bodies are taken as they are, without decoding.
 */
import { HttpError } from '@neve/http';
import {
  HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  type HttpResponse,
  type HttpSettings,
} from '@neve/http/node';
import { CastoreError } from '../castore-error.ts';
import {
  checkObjectKey,
  type ListedObject,
  type ObjectInfo,
  type ObjectRange,
  type ObjectStore,
} from '../object-store.ts';

export type HttpObjectStoreOptions = {
  /** Requests at the same time; 16 by default. */
  readonly concurrency?: number;
  /** Without a byte from the server; 60,000 by default. */
  readonly timeoutMs?: number;
  /** Tries after the first one; 4 by default. */
  readonly retries?: number;
  /** The longest object that is taken, in bytes; 64 MiB by default. */
  readonly maxObjectBytes?: number;
  /** Whatever else concerns requests; weaker than the settings above. */
  readonly http?: HttpSettings;
};

/**
 * The object store below `url`. Names and passwords in the URL are sent as basic authentication, and never shown. Throws
 * `CastoreError` (`unsupported`) for a URL that is not http or https.
 */
export function httpObjectStore(url: string, options: HttpObjectStoreOptions = {}): ObjectStore {
  return new HttpObjectStore(url, options);
}

function openClient(options: HttpClientOptions): HttpClient {
  try {
    return new HttpClient(options);
  } catch (cause) {
    if (!(cause instanceof HttpError)) throw cause;
    throw new CastoreError('unsupported', cause.message, { cause });
  }
}

class HttpObjectStore implements ObjectStore {
  readonly label: string;
  readonly #client: HttpClient;
  readonly #maxObjectBytes: number;

  constructor(baseUrl: string, options: HttpObjectStoreOptions) {
    const { concurrency = 16, timeoutMs = 60_000, retries = 4, maxObjectBytes = 64 * 2 ** 20 } = options;
    this.#maxObjectBytes = maxObjectBytes;
    this.#client = openClient({
      ...options.http,
      baseUrl,
      maxConnectionsPerHost: concurrency,
      connectTimeoutMs: timeoutMs,
      idleTimeoutMs: timeoutMs,
      retry: { ...options.http?.retry, maxAttempts: retries + 1 },
    });
    const { origin, pathname } = this.#client.resolve('');
    this.label = `the object store '${origin}${pathname}'`;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#read(key, {}, signal);
  }

  async getRange(key: string, { offset, length }: ObjectRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (length <= 0) return new Uint8Array();
    const bytes = await this.#read(key, { range: { offset, length } }, signal);
    if (bytes === undefined) throw new CastoreError('not-found', `${this.label} has no object '${key}'`);
    return bytes;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    const response = await this.#request(key, { method: 'HEAD' }, signal);
    if (response === undefined) return undefined;
    await response.discard();
    if (response.size === undefined) {
      throw new CastoreError('io', `${this.label} does not say how long '${key}' is`);
    }
    const time = Date.parse(response.header('last-modified') ?? '');
    return { size: response.size, lastModifiedMs: Number.isNaN(time) ? 0 : time };
  }

  async put(): Promise<void> {
    throw this.#readOnly();
  }

  // eslint-disable-next-line require-yield -- it has nothing to give
  async *list(): AsyncGenerator<ListedObject, void, void> {
    throw this.#readOnly();
  }

  async delete(): Promise<void> {
    throw this.#readOnly();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  #readOnly(): CastoreError {
    return new CastoreError('unsupported', `${this.label} is for reading only, and cannot be listed`);
  }

  async #read(
    key: string,
    request: Pick<HttpRequest, 'range'>,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const response = await this.#request(key, request, signal);
    if (response === undefined) return undefined;
    if (response.status !== 416) return this.#readBody(response.body, key);
    // The range begins after the end.
    await response.discard();
    return new Uint8Array();
  }

  /** `undefined` for an object that is not there. */
  async #request(
    key: string,
    request: Omit<HttpRequest, 'url'>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse | undefined> {
    checkObjectKey(key);
    const url = key.split('/').map(encodeURIComponent).join('/');
    const response = await this.#client
      .request({ ...request, url }, signal)
      .catch((error: unknown) => this.#fail(key, error));
    const { status } = response;
    if (status === 200 || (request.range !== undefined && (status === 206 || status === 416)))
      return response;
    await response.discard();
    if (status === 404 || status === 410) return undefined;
    throw new CastoreError('io', `${this.label} cannot give '${key}': the server answers ${status}`);
  }

  async #readBody(body: AsyncIterable<Uint8Array>, key: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const piece of body) {
        length += piece.length;
        if (length > this.#maxObjectBytes) {
          throw new CastoreError('limit-exceeded', `${this.label} sends too many bytes as '${key}'`);
        }
        pieces.push(piece);
      }
    } catch (error) {
      this.#fail(key, error);
    }
    return Buffer.concat(pieces, length);
  }

  #fail(key: string, cause: unknown): never {
    if (!(cause instanceof HttpError)) throw cause;
    throw new CastoreError('io', `${this.label} cannot give '${key}': ${cause.message}`, { cause });
  }
}
