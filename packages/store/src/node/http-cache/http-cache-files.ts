/**
 * The files of a binary cache behind HTTP. 404 and 410 say that there is no file; so does 403, which S3 answers where
 * nobody may list the bucket. A body that the server encoded (narinfos can be stored so) is decoded.
 */
import { CastoreError } from '@neve/castore';
import { decompress } from '@neve/castore/node';
import { redactUrl } from '@neve/diagnostics';
import { HttpError, statusError } from '@neve/http';
import { HttpClient, type HttpResponse, type HttpSettings } from '@neve/http/node';
import { formatOfEncoding } from '../../compression-formats.ts';
import { StoreError } from '../../store-error.ts';
import type { CacheFiles } from './cache-files.ts';
import { gather } from './gather.ts';

export class HttpCacheFiles implements CacheFiles {
  readonly #client: HttpClient;

  /** Throws `StoreError` (`io`) for a base URL that is not one of http or https. */
  constructor(baseUrl: string, settings: HttpSettings = {}) {
    try {
      this.#client = new HttpClient({ ...settings, baseUrl });
    } catch (error) {
      rethrow(error);
    }
  }

  /** Throws `StoreError` (`corrupt`) for a path that is another kind of URL: a narinfo says such things. */
  describe(path: string): string {
    try {
      return redactUrl(this.#client.resolve(path).href);
    } catch (cause) {
      if (!(cause instanceof HttpError)) throw cause;
      throw new StoreError('corrupt', `${cause.message}, or tell whoever runs the cache`, { cause });
    }
  }

  async read(path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const body = await this.#get(path, maxBytes, signal);
    return body === undefined ? undefined : gather(body, { maxBytes, name: this.describe(path) });
  }

  open(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#get(path, undefined, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  async #get(
    path: string,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const url = this.describe(path);
    const response = await this.#client.request({ url: path }, signal).catch(rethrow);
    if (response.status === 200) return decoded(response, { url, maxBytes });
    await response.discard();
    if (response.status === 403 || response.status === 404 || response.status === 410) return undefined;
    return rethrow(statusError({ method: 'GET', url }, response));
  }
}

type Decoding = { readonly url: string; readonly maxBytes: number | undefined };

async function* decoded(
  { body, contentEncoding, discard }: HttpResponse,
  { url, maxBytes }: Decoding,
): AsyncGenerator<Uint8Array, void, void> {
  const format = formatOfEncoding(contentEncoding);
  if (format === undefined) {
    await discard();
    const problem = `the server encoded the body as '${contentEncoding}', which is not known here`;
    throw new StoreError('io', `GET ${url}: ${problem}; tell whoever runs it`);
  }
  try {
    if (format === 'none') {
      yield* body;
      return;
    }
    // One byte more is left to whoever counts.
    yield* decompress(body, format, maxBytes === undefined ? {} : { maxBytes: maxBytes + (1 << 20) });
  } catch (cause) {
    if (!(cause instanceof CastoreError)) rethrow(cause);
    throw new StoreError('io', `GET ${url}: ${cause.message}; try again, or tell whoever runs it`, { cause });
  }
}

/** What the client says, as an error of this package. */
function rethrow(error: unknown): never {
  throw error instanceof HttpError ? new StoreError('io', error.message, { cause: error }) : error;
}
