/**
 * A small HTTP client for files that are read as streams: GET and HEAD over undici's `request`.
 *
 * - What may work the next time is tried again (`retry-policy.ts`): connections that fail, 408, 429 and 5xx.
 * - A body that breaks off is continued from there (`resumed-body.ts`).
 * - Redirects are followed by hand. The user and password of the base URL go to its origin only; `default` of a netrc file
 *   stands for the host of the base URL only; nothing goes over http when the base URL is https.
 * - No encoding is asked for; the body is given as it came, and `contentEncoding` says what a server did nevertheless.
 *
 * Throws `StoreError` (`io`) naming method and URL, and the reason of a `signal`.
 */
import type { Dispatcher } from 'undici';
import { redactUrl } from '@neve/diagnostics';
import { type NetrcEntry, findCredentials } from '../../netrc.ts';
import type { ProxySettings } from '../../proxy-choice.ts';
import {
  type RetryPolicy,
  defaultRetryPolicy,
  isTransientStatus,
  parseRetryAfter,
} from '../../retry-policy.ts';
import { StoreError } from '../../store-error.ts';
import { HttpDispatchers, type TlsSettings } from './http-dispatchers.ts';
import { failureOfStatus, requestError } from './http-failure.ts';
import { type RetryEvent, Retries } from './http-retries.ts';
import { resumedBody } from './resumed-body.ts';

export type HttpClientOptions = {
  /** Relative URLs start here; may hold a user and a password. */
  readonly baseUrl: string;
  readonly userAgent?: string;
  readonly netrc?: readonly NetrcEntry[];
  readonly proxies?: ProxySettings;
  readonly tls?: TlsSettings;
  /** 15 s unless given. */
  readonly connectTimeoutMs?: number;
  /** How long a server may send nothing; 300 s unless given. */
  readonly idleTimeoutMs?: number;
  /** 25 unless given. */
  readonly maxConnectionsPerHost?: number;
  /** 10 unless given. */
  readonly maxRedirects?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly onRetry?: (event: RetryEvent) => void;
};

export type HttpRequest = { readonly method: 'GET' | 'HEAD'; readonly url: string };

/** Any status but those that were tried again in vain. */
export type HttpResponse = {
  readonly status: number;
  readonly statusText: string;
  /** `identity`, or what the server did to the body. */
  readonly contentEncoding: string;
  /** Read it, or `discard` it. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly discard: () => Promise<void>;
};

/** What came back for one request, after redirects. */
export type RawResponse = Pick<Dispatcher.ResponseData, 'body' | 'statusText'> & {
  readonly status: number;
  header(name: string): string | undefined;
};

type Hop = { readonly url: URL; readonly method: 'GET' | 'HEAD'; readonly headers: Record<string, string> };

export class HttpClient implements AsyncDisposable {
  readonly #base: URL;
  readonly #options: HttpClientOptions;
  readonly #dispatchers: HttpDispatchers;
  readonly #retryPolicy: RetryPolicy;

  /** Throws `StoreError` (`io`) for a base URL that is none. */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#base = parseBase(options.baseUrl);
    this.#retryPolicy = { ...defaultRetryPolicy, ...options.retry };
    this.#dispatchers = new HttpDispatchers({
      connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
      maxConnectionsPerHost: options.maxConnectionsPerHost ?? 25,
      proxies: options.proxies ?? {},
      tls: options.tls ?? {},
    });
  }

  /** The absolute URL. Throws `StoreError` (`corrupt`) unless it is http or https. */
  resolve(url: string): URL {
    const resolved = URL.canParse(url, this.#base.href) ? new URL(url, this.#base) : undefined;
    if (resolved !== undefined && isHttp(resolved)) return resolved;
    throw new StoreError(
      'corrupt',
      `'${redactUrl(url)}' is not an http or https URL; tell whoever runs the server`,
    );
  }

  async request(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const { method } = request;
    const url = this.resolve(request.url);
    const retries = new Retries(this.#retryPolicy, {
      request: { method, url: url.href },
      onRetry: this.#options.onRetry,
      signal,
    });
    const send = (headers: Record<string, string>): Promise<RawResponse> =>
      this.#sendUntilAnswered({ url, method, headers }, retries, signal);
    const first = await send({});
    return {
      status: first.status,
      statusText: first.statusText,
      contentEncoding: first.header('content-encoding')?.trim().toLowerCase() || 'identity',
      body: method === 'HEAD' ? first.body : resumedBody(first, { send, retries, signal }),
      discard: () => discard(first),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispatchers[Symbol.asyncDispose]();
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
        ...failureOfStatus(response.status, response.statusText),
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
      const request = { method: hop.method, url: hop.url.href };
      if (redirects === maxRedirects) {
        const problem = `the server redirects more than ${maxRedirects} times`;
        throw requestError({ ...request, url: first.url.href }, { problem, hint: 'tell whoever runs it' });
      }
      const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : undefined;
      if (url === undefined || !isHttp(url)) {
        const problem = 'the server redirects to something that is not an http or https URL';
        throw requestError(request, { problem, hint: 'tell whoever runs it' });
      }
      url.username = '';
      url.password = '';
      hop = { ...hop, url };
    }
  }

  async #send({ url, method, headers }: Hop, signal: AbortSignal | undefined): Promise<RawResponse> {
    const { idleTimeoutMs = 300_000, userAgent = 'neve' } = this.#options;
    const isOwnHost = url.origin === this.#base.origin;
    const dispatcher = await this.#dispatchers.for(url, { isOwnHost });
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        'user-agent': userAgent,
        'accept-encoding': 'identity',
        ...this.#authorization(url),
        ...headers,
      },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      signal: signal ?? null,
    });
    const { statusCode, statusText, body } = response;
    const header = (name: string): string | undefined => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    return { status: statusCode, statusText, body, header };
  }

  #authorization(url: URL): { authorization?: string } {
    const credentials = this.#credentials(url);
    if (credentials === undefined) return {};
    const text = `${credentials.user}:${credentials.password}`;
    return { authorization: `Basic ${Buffer.from(text, 'utf8').toString('base64')}` };
  }

  #credentials(url: URL): { readonly user: string; readonly password: string } | undefined {
    const base = this.#base;
    if (url.origin === base.origin && (base.username !== '' || base.password !== '')) {
      return { user: decodeURIComponent(base.username), password: decodeURIComponent(base.password) };
    }
    if (url.protocol === 'http:' && base.protocol === 'https:') return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return findCredentials(this.#options.netrc ?? [], { host, allowDefault: url.hostname === base.hostname });
  }
}

function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isHttp(url)) {
    const problem = 'it is not an http or https URL';
    throw requestError({ method: 'GET', url: text }, { problem, hint: 'check the URL of the cache' });
  }
  url.search = '';
  url.hash = '';
  // Without the slash, the last part would not count.
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}

/** Reads a short body to its end, so that the connection can be used again; a long one is cut. */
async function discard({ body }: RawResponse): Promise<void> {
  try {
    await body.dump({ limit: 1 << 16 });
  } catch {
    // Nobody wants these bytes.
  }
}
