/**
 * The files of a binary cache behind HTTP. 404 and 410 say that there is no file; so does 403, which S3 answers where
 * nobody may list the bucket. A body that the server encoded (narinfos can be stored so) is decoded.
 */
import { redactUrl } from '@neve/diagnostics';
import { CastoreError, type CompressionFormat } from '@neve/castore';
import { decompress } from '@neve/castore/node';
import { StoreError } from '../../store-error.ts';
import type { CacheFiles } from './cache-files.ts';
import type { HttpClient, HttpResponse } from './http-client.ts';
import { failureOfStatus, requestError } from './http-failure.ts';
import { gather } from './gather.ts';

const encodings: Readonly<Record<string, CompressionFormat>> = {
  identity: 'none',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  br: 'brotli',
  zstd: 'zstd',
  xz: 'xz',
  bzip2: 'bzip2',
};

export class HttpCacheFiles implements CacheFiles {
  readonly #client: HttpClient;

  /** Takes over the client. */
  constructor(client: HttpClient) {
    this.#client = client;
  }

  describe(path: string): string {
    return redactUrl(this.#client.resolve(path).href);
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
    const response = await this.#client.request({ method: 'GET', url: path }, signal);
    if (response.status === 200) return decoded(response, { url: this.describe(path), maxBytes });
    await response.discard();
    if (response.status === 403 || response.status === 404 || response.status === 410) return undefined;
    const request = { method: 'GET', url: this.describe(path) };
    throw requestError(request, failureOfStatus(response.status, response.statusText));
  }
}

type Decoding = { readonly url: string; readonly maxBytes: number | undefined };

async function* decoded(
  { body, contentEncoding, discard }: HttpResponse,
  { url, maxBytes }: Decoding,
): AsyncGenerator<Uint8Array, void, void> {
  const format = encodings[contentEncoding];
  if (format === undefined) {
    await discard();
    const problem = `the server encoded the body as '${contentEncoding}', which is not known here`;
    throw requestError({ method: 'GET', url }, { problem, hint: 'tell whoever runs it' });
  }
  if (format === 'none') {
    yield* body;
    return;
  }
  try {
    // One byte more is left to whoever counts.
    yield* decompress(body, format, maxBytes === undefined ? {} : { maxBytes: maxBytes + (1 << 20) });
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw new StoreError('io', `GET ${url}: ${cause.message}; try again, or tell whoever runs it`, { cause });
  }
}
