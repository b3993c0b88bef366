/**
 * What is at one of several URLs, taken in as it comes and remembered.
 *
 * - The URLs are tried in order. What has another hash than was expected is passed over with a warning when there is another
 *   URL to try.
 * - Without an expected hash, what was fetched not longer ago than the time to live is given as it is. Later the server is
 *   asked whether it has changed (ETag); when it cannot be reached, the old contents are given with a warning. Files of this
 *   machine are read every time.
 * - What has an expected hash is remembered by it.
 */
import { type Digest, parseDigest } from '@neve/bytes';
import { redactUrl } from '@neve/diagnostics';
import { FetchError } from '../fetch-error.ts';
import { type JsonRow, type KnownContents, encodeContents, findContents } from './fetch-cache.ts';
import { type FetchCall, type FetchContext, type FetchedNode, isFresh } from './fetch-context.ts';
import { type OpenedUrl, openUrl } from './open-url.ts';

type OpenedBody = Extract<OpenedUrl, { kind: 'body' }>;

export type Body = Pick<OpenedBody, 'body' | 'size'>;

/** What a body became. */
export type Ingested = {
  readonly contents: KnownContents;
  readonly lastModified?: number | undefined;
  /** The hash of the bytes as they were, of a file. */
  readonly flat?: Digest | undefined;
};

export type DownloadRequest = {
  readonly urls: readonly string[];
  /** How a body is taken in: bodies that were taken in differently are other contents. */
  readonly method: string;
  readonly expected: Digest | undefined;
  /** Throws `FetchError` (`hash-mismatch`) unless it is what is expected. */
  readonly ingest: (body: Body, url: string) => Promise<Ingested>;
};

export type Downloaded = FetchedNode & Ingested;

/** Throws `FetchError`, and the reason of the signal. */
export function download(
  request: DownloadRequest,
  context: FetchContext,
  call: FetchCall,
): Promise<Downloaded> {
  return new Download(request, context, call).run();
}

class Download {
  readonly #request: DownloadRequest;
  readonly #context: FetchContext;
  readonly #call: FetchCall;

  constructor(request: DownloadRequest, context: FetchContext, call: FetchCall) {
    this.#request = request;
    this.#context = context;
    this.#call = call;
  }

  async run(): Promise<Downloaded> {
    const { urls } = this.#request;
    const known = await this.#findVerified();
    if (known !== undefined) return known;
    const failures: FetchError[] = [];
    for (const [index, url] of urls.entries()) {
      try {
        return await this.#fromUrl(url);
      } catch (error) {
        this.#call.signal?.throwIfAborted();
        if (!(error instanceof FetchError)) throw error;
        failures.push(error);
        if (index + 1 < urls.length) this.#warn(error.message);
      }
    }
    // Another file says more than one that is not there.
    const failure = failures.find(({ code }) => code === 'hash-mismatch') ?? failures.at(-1);
    throw failure ?? new FetchError('invalid-fetch', 'there is no URL to fetch from; name one');
  }

  async #findVerified(): Promise<Downloaded | undefined> {
    const { expected, method, urls } = this.#request;
    if (expected === undefined) return undefined;
    const row = await this.#context.cache.read('verified', method, expected.format('sri'));
    return await this.#remembered(row, redactUrl(urls[0] ?? ''));
  }

  async #fromUrl(url: string): Promise<Downloaded> {
    if (this.#request.expected !== undefined || /^file:/i.test(url)) return await this.#anew(url);
    const { cache, ttlMs } = this.#context;
    const key = ['download', this.#request.method, url];
    const shown = redactUrl(url);
    const row = await cache.read(...key);
    const known = await this.#remembered(row, shown);
    if (row === undefined || known === undefined) return await this.#anew(url);
    const fromCache = (): Downloaded => {
      this.#call.tell({ kind: 'download-ended', url: shown, fromCache: true });
      return known;
    };
    if (isFresh(row['fetchedMs'], ttlMs)) return fromCache();
    const opened = await this.#openAgain(url, row);
    if (opened?.kind === 'body') return await this.#ingest(url, opened);
    if (opened?.kind === 'unchanged') await cache.write({ ...row, fetchedMs: Date.now() }, ...key);
    return fromCache();
  }

  /** `undefined`, after a warning, when it cannot be opened any more. */
  async #openAgain(url: string, { etag }: JsonRow): Promise<OpenedUrl | undefined> {
    const known = typeof etag === 'string' ? { etag } : {};
    try {
      return await openUrl(url, { ...known, context: this.#context, call: this.#call });
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.#warn(`${error.message}; using cached version`);
      return undefined;
    }
  }

  async #anew(url: string): Promise<Downloaded> {
    const opened = await openUrl(url, { context: this.#context, call: this.#call });
    if (opened.kind === 'body') return await this.#ingest(url, opened);
    throw new FetchError('io', `the server of '${redactUrl(url)}' says that nothing has changed, unasked`);
  }

  async #ingest(url: string, opened: OpenedBody): Promise<Downloaded> {
    const { expected, method, ingest } = this.#request;
    const body = this.#watch(opened, redactUrl(url));
    const ingested = await ingest({ body, size: opened.size }, url);
    const { cache } = this.#context;
    const source = redactUrl(opened.url);
    const { etag, immutableUrl } = opened;
    const row = definedOnly({ ...encodeContents(ingested.contents), ...rowOf(ingested), immutableUrl, etag });
    if (expected !== undefined) await cache.write(row, 'verified', method, expected.format('sri'));
    else await cache.write({ ...row, source, fetchedMs: Date.now() }, 'download', method, url);
    return { ...ingested, node: ingested.contents.node, source, immutableUrl };
  }

  async #remembered(row: JsonRow | undefined, url: string): Promise<Downloaded | undefined> {
    const contents = await findContents(row, this.#context, this.#call.signal);
    if (contents === undefined) return undefined;
    const { source, flat, lastModified, immutableUrl } = row ?? {};
    return {
      contents,
      node: contents.node,
      source: typeof source === 'string' ? source : url,
      flat: typeof flat === 'string' ? parseDigest(flat) : undefined,
      lastModified: typeof lastModified === 'number' ? lastModified : undefined,
      immutableUrl: typeof immutableUrl === 'string' ? immutableUrl : undefined,
    };
  }

  async *#watch({ body, size }: Body, url: string): AsyncGenerator<Uint8Array, void, void> {
    const { tell, signal } = this.#call;
    tell({ kind: 'download-started', url, totalBytes: size });
    let bytes = 0;
    for await (const piece of body) {
      signal?.throwIfAborted();
      bytes += piece.length;
      tell({ kind: 'downloaded', url, bytes });
      yield piece;
    }
    tell({ kind: 'download-ended', url, fromCache: false });
  }

  #warn(message: string): void {
    this.#call.tell({ kind: 'warning', message });
  }
}

function rowOf({ lastModified, flat }: Ingested): Record<string, string | number | undefined> {
  return { lastModified, flat: flat?.format('sri') };
}

function definedOnly(row: Record<string, string | number | undefined>): JsonRow {
  const defined: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(row)) if (value !== undefined) defined[name] = value;
  return defined;
}
