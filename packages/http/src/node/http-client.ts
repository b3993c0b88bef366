/**
 * A client for files that are read as streams: GET and HEAD over undici's `request`, and what changes files (`upload`).
 *
 * - What may work the next time is tried again (`retry-policy.ts`): connections that fail, 408, 429 and 5xx.
 * - A body that breaks off is continued from there (`resumed-body.ts`).
 * - Redirects are followed by hand, to http and https only. The home of a request is the origin of the base URL, or, where
 *   there is none, its own. The user and password of the URL, `default` of a netrc file and the client's certificate are for
 *   the home only; and from a home with https, no password of a netrc file goes over http.
 * - No encoding is asked for; the body is given as it came, and `contentEncoding` says what a server did nevertheless.
 *
 * Throws `HttpError`, which names method and URL, and the reason of a `signal`.
 */
import { redactUrl } from '@neve/diagnostics';
import { type Span, inSpan, printTraceHeaders } from '@neve/telemetry';
import type { Dispatcher } from 'undici';
import { problemOfStatus, requestError } from '../failure.ts';
import { HttpError } from '../http-error.ts';
import { type NetrcEntry, findCredentials } from '../netrc.ts';
import type { ProxySettings } from '../proxy-choice.ts';
import { type RetryPolicy, defaultRetryPolicy, isTransientStatus, parseRetryAfter } from '../retry-policy.ts';
import { Dispatchers, type TlsSettings } from './dispatchers.ts';
import { type ByteRange, fileSize, rangeHeaders, resumedBody } from './resumed-body.ts';
import { type RetryEvent, Retries } from './retries.ts';

/** How requests are made, whatever they ask for. */
export type HttpSettings = {
  /** `neve` unless given. */
  readonly userAgent?: string;
  readonly netrc?: readonly NetrcEntry[];
  readonly proxies?: ProxySettings;
  readonly tls?: TlsSettings;
  /** 15 s unless given. */
  readonly connectTimeoutMs?: number;
  /** How long a server may send nothing; 300 s unless given. */
  readonly idleTimeoutMs?: number;
  /** 25 unless given. More requests wait for one. */
  readonly maxConnectionsPerHost?: number;
  /** 10 unless given. */
  readonly maxRedirects?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly onRetry?: (event: RetryEvent) => void;
};

export type HttpClientOptions = HttpSettings & {
  /** Relative URLs start below this; may hold a user and a password. Without it, URLs have to be absolute. */
  readonly baseUrl?: string;
};

export type HttpRequest = {
  /** `GET` unless given. */
  readonly method?: 'GET' | 'HEAD';
  readonly url: string;
  /** A part of the file, of at least one byte; the body is that part, whether the status is 206 or 200. */
  readonly range?: ByteRange;
  /** The `ETag` of what is known; the status is 304 while the file still has it. */
  readonly ifNoneMatch?: string;
};

/** Any status but redirects and those that were tried again in vain. */
export type HttpResponse = {
  /** What answered in the end, without user and password. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  /** By its name in lower case; the first one of several. */
  readonly header: (name: string) => string | undefined;
  /** `identity`, or what the server did to the body. */
  readonly contentEncoding: string;
  /** Of the whole file in bytes, if the server says it. */
  readonly size: number | undefined;
  /** Read it, or `discard` it. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly discard: () => Promise<void>;
};

/** A request that changes something. It may be sent again, so that doing it twice must be as good as once. */
export type HttpUpload = {
  readonly method: 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | UploadStream;
};

/** `open` is called for each attempt; what it gives has `size` bytes, and a piece is used until the next one is asked for. */
export type UploadStream = { readonly size: number; readonly open: () => AsyncIterable<Uint8Array> };

/** Any status but those that were tried again in vain. Redirects are not followed. */
export type UploadResponse = {
  readonly status: number;
  readonly statusText: string;
  /** The beginning of what the server says, at most 64 MiB. */
  readonly body: Uint8Array;
};

/** What came back for one request, after redirects. */
export type RawResponse = Pick<Dispatcher.ResponseData, 'body' | 'statusText'> & {
  readonly url: URL;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
};

type Hop = {
  readonly url: URL;
  readonly home: URL;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Record<string, string>;
};

type Target = { readonly url: URL; readonly home: URL; readonly method: Dispatcher.HttpMethod };

type Content = Pick<Dispatcher.RequestOptions, 'body'> & { readonly headers: Record<string, string> };

export class HttpClient implements AsyncDisposable {
  readonly #base: URL | undefined;
  readonly #options: HttpSettings;
  readonly #dispatchers: Dispatchers;
  readonly #retryPolicy: RetryPolicy;

  /** Throws `HttpError` (`bad-url`) for a base URL that is none. */
  constructor({ baseUrl, ...options }: HttpClientOptions = {}) {
    this.#options = options;
    this.#base = baseUrl === undefined ? undefined : parseBase(baseUrl);
    this.#retryPolicy = { ...defaultRetryPolicy, ...options.retry };
    this.#dispatchers = new Dispatchers({
      connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
      maxConnectionsPerHost: options.maxConnectionsPerHost ?? 25,
      proxies: options.proxies ?? {},
      tls: options.tls ?? {},
    });
  }

  /** The absolute URL. Throws `HttpError` (`bad-url`) unless it is http or https. */
  resolve(url: string): URL {
    const resolved = parseHttpUrl(url, this.#base);
    if (resolved !== undefined) return resolved;
    throw new HttpError('bad-url', `'${redactUrl(url)}' is not an http or https URL; check it`);
  }

  async request(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const { method = 'GET', range, ifNoneMatch } = request;
    const url = this.resolve(request.url);
    const hop = { url, home: this.#base ?? url, method };
    const retries = new Retries(this.#retryPolicy, {
      request: { method, url: url.href },
      onRetry: this.#options.onRetry,
      signal,
    });
    const send = (headers: Record<string, string>): Promise<RawResponse> =>
      this.#sendUntilAnswered({ ...hop, headers }, retries, signal);
    const first = await send({
      ...rangeHeaders(range),
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    });
    const { status, statusText, header } = first;
    const hasFile = method === 'GET' && (status === 200 || (status === 206 && range !== undefined));
    return {
      url: withoutCredentials(first.url).href,
      status,
      statusText,
      header,
      contentEncoding: header('content-encoding')?.trim().toLowerCase() || 'identity',
      size: fileSize(first),
      body: hasFile ? resumedBody(first, { range, send, retries, signal }) : first.body,
      discard: () => discard(first),
    };
  }

  async upload(request: HttpUpload, signal?: AbortSignal): Promise<UploadResponse> {
    const url = this.resolve(request.url);
    const home = this.#base ?? url;
    const retries = new Retries(this.#retryPolicy, {
      request: { method: request.method, url: url.href },
      onRetry: this.#options.onRetry,
      signal,
    });
    for (;;) {
      try {
        const response = await this.#sendUpload(request, { url, home }, signal);
        if (!isTransientStatus(response.status)) {
          return {
            status: response.status,
            statusText: response.statusText,
            body: await readBeginning(response.body, maxAnswerBytes),
          };
        }
        await discard(response);
        await retries.failedWith({
          ...problemOfStatus(response.status, response.statusText),
          isTransient: true,
          retryAfterMs: parseRetryAfter(response.header('retry-after'), Date.now()),
        });
      } catch (error) {
        await retries.failed(error);
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispatchers[Symbol.asyncDispose]();
  }

  async #sendUpload(
    { method, headers = {}, body }: HttpUpload,
    { url, home }: { readonly url: URL; readonly home: URL },
    signal: AbortSignal | undefined,
  ): Promise<RawResponse> {
    const { Readable } = await import('node:stream');
    const length = body instanceof Uint8Array ? body.length : body?.size;
    return this.#dispatch(
      { url, home, method },
      {
        headers: { ...headers, ...(length !== undefined && { 'content-length': String(length) }) },
        body:
          body === undefined || body instanceof Uint8Array
            ? (body ?? null)
            : Readable.from(copiesOf(body.open())),
      },
      signal,
    );
  }

  async #sendUntilAnswered(
    hop: Hop,
    retries: Retries,
    signal: AbortSignal | undefined,
  ): Promise<RawResponse> {
    for (;;) {
      let response: RawResponse;
      try {
        response = await this.#followRedirects(hop, signal);
      } catch (error) {
        await retries.failed(error);
        continue;
      }
      if (!isTransientStatus(response.status)) return response;
      await discard(response);
      await retries.failedWith({
        ...problemOfStatus(response.status, response.statusText),
        isTransient: true,
        retryAfterMs: parseRetryAfter(response.header('retry-after'), Date.now()),
      });
    }
  }

  async #followRedirects(first: Hop, signal: AbortSignal | undefined): Promise<RawResponse> {
    const { maxRedirects = 10 } = this.#options;
    let hop = first;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#send(hop, signal);
      const location = response.header('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
      await discard(response);
      if (redirects === maxRedirects) {
        throw redirectError(first, `the server redirects more than ${maxRedirects} times`);
      }
      const url = parseHttpUrl(location, hop.url);
      if (url === undefined) {
        throw redirectError(hop, 'the server redirects to something that is not an http or https URL');
      }
      hop = { ...hop, url: withoutCredentials(url) };
    }
  }

  #send({ headers, ...target }: Hop, signal: AbortSignal | undefined): Promise<RawResponse> {
    return this.#dispatch(target, { headers, body: null }, signal);
  }

  /** A span each, until the answer begins; the server learns of which trace it is. */
  #dispatch(target: Target, content: Content, signal: AbortSignal | undefined): Promise<RawResponse> {
    const { method, url } = target;
    const attributes = {
      'http.request.method': method,
      'url.full': redactUrl(url.href),
      'server.address': url.hostname,
    };
    return inSpan(method, { kind: 'client', attributes }, async (span) => {
      const response = await this.#dispatchWithin(span, target, { ...content, signal });
      const { status } = response;
      span?.set({ 'http.response.status_code': status });
      // As the conventions have it for clients; that something is not there is an answer like others.
      if (status >= 400 && status !== 404) span?.fail(new Error(`answered with status ${status}`));
      return response;
    });
  }

  // oxlint-disable-next-line eslint/max-params -- within what, where to, and what
  async #dispatchWithin(
    span: Span | undefined,
    { url, home, method }: Target,
    { headers, body, signal }: Content & { readonly signal: AbortSignal | undefined },
  ): Promise<RawResponse> {
    const { idleTimeoutMs = 300_000, userAgent = 'neve' } = this.#options;
    const dispatcher = await this.#dispatchers.for(url, { isHome: url.origin === home.origin });
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        'user-agent': userAgent,
        'accept-encoding': 'identity',
        ...this.#authorization(url, home),
        ...(span !== undefined && printTraceHeaders(span.context)),
        ...headers,
      },
      ...(body !== null && body !== undefined && { body }),
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      signal: signal ?? null,
    });
    const { statusCode, statusText, body: answer } = response;
    const header = (name: string): string | undefined => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    return { url, status: statusCode, statusText, body: answer, header };
  }

  #authorization(url: URL, home: URL): { authorization?: string } {
    const credentials = this.#credentials(url, home);
    if (credentials === undefined) return {};
    const text = `${credentials.user}:${credentials.password}`;
    return { authorization: `Basic ${Buffer.from(text, 'utf8').toString('base64')}` };
  }

  #credentials(url: URL, home: URL): { readonly user: string; readonly password: string } | undefined {
    if (url.origin === home.origin && (home.username !== '' || home.password !== '')) {
      return { user: decodeURIComponent(home.username), password: decodeURIComponent(home.password) };
    }
    if (url.protocol === 'http:' && home.protocol === 'https:') return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return findCredentials(this.#options.netrc ?? [], { host, allowDefault: url.hostname === home.hostname });
  }
}

/** What was given to a socket is sent some time later. */
async function* copiesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  for await (const piece of source) yield Buffer.from(piece);
}

const maxAnswerBytes = 64 << 20;

/** What is left of a longer one is not read. */
async function readBeginning(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}

function parseBase(text: string): URL {
  const url = parseHttpUrl(text);
  if (url === undefined) {
    throw new HttpError(
      'bad-url',
      `'${redactUrl(text)}' cannot be the address of a server: it is not an http or https URL; check it`,
    );
  }
  url.search = '';
  url.hash = '';
  // Without the slash, the last part would not count.
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function parseHttpUrl(text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function redirectError({ method, url }: Hop, problem: string): HttpError {
  return requestError(
    { method, url: url.href },
    { code: 'bad-answer', problem, hint: 'tell whoever runs it' },
  );
}

/** Reads a short body to its end, so that the connection can be used again; a long one is cut. */
async function discard({ body }: RawResponse): Promise<void> {
  try {
    await body.dump({ limit: 1 << 16 });
  } catch {
    // Nobody wants these bytes.
  }
}
