/**
 * Objects as the files of a web server, for reading only: the key is the path below the base URL.
 *
 * Requests that fail for a reason that may pass (no connection, 408, 429, 5xx, a body that breaks off) are tried again after
 * a time that doubles, with jitter, or after the one that the server names. Bodies are taken as they are, without decoding.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
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
  /** Of the first pause; 100 by default. */
  readonly retryDelayMs?: number;
  /** The longest object that is taken, in bytes; 64 MiB by default. */
  readonly maxObjectBytes?: number;
};

const longestPauseMs = 30_000;

/** The object store below `url`. Names and passwords in the URL are sent as basic authentication, and never shown. */
export function httpObjectStore(url: string, options: HttpObjectStoreOptions = {}): ObjectStore {
  return new HttpObjectStore(new URL(url), options);
}

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
};

class HttpObjectStore implements ObjectStore {
  readonly label: string;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: Required<HttpObjectStoreOptions>;
  #client: Promise<Dispatcher> | undefined;

  constructor(url: URL, options: HttpObjectStoreOptions) {
    const { concurrency = 16, timeoutMs = 60_000, retries = 4, retryDelayMs = 100 } = options;
    const { maxObjectBytes = 64 * 2 ** 20 } = options;
    this.#options = { concurrency, timeoutMs, retries, retryDelayMs, maxObjectBytes };
    this.#headers = authorization(url);
    this.#base = new URL(url);
    this.#base.username = '';
    this.#base.password = '';
    this.#base.pathname = `${url.pathname.replace(/\/+$/, '')}/`;
    this.label = `the object store '${this.#base.origin}${this.#base.pathname}'`;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await this.#request({ method: 'GET', key, signal });
    return answer?.body;
  }

  async getRange(key: string, { offset, length }: ObjectRange, signal?: AbortSignal): Promise<Uint8Array> {
    if (length <= 0) return new Uint8Array();
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const answer = await this.#request({ method: 'GET', key, signal, headers });
    if (answer === undefined) throw new CastoreError('not-found', `${this.label} has no object '${key}'`);
    if (answer.status === 416) return new Uint8Array();
    // A server that does not know ranges sends everything.
    if (answer.status !== 206) return answer.body.subarray(offset, offset + length);
    const start = /^bytes (\d+)-/.exec(String(answer.headers['content-range']))?.[1];
    if (Number(start) !== offset || answer.body.length > length) {
      throw new CastoreError('io', `${this.label} sends another range of '${key}' than was asked for`);
    }
    return answer.body;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    const answer = await this.#request({ method: 'HEAD', key, signal });
    if (answer === undefined) return undefined;
    const size = Number(answer.headers['content-length'] ?? Number.NaN);
    if (!Number.isSafeInteger(size)) {
      throw new CastoreError('io', `${this.label} does not say how long '${key}' is`);
    }
    const time = Date.parse(String(answer.headers['last-modified']));
    return { size, lastModifiedMs: Number.isNaN(time) ? 0 : time };
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
    await (await this.#client)?.destroy();
  }

  #readOnly(): CastoreError {
    return new CastoreError('unsupported', `${this.label} is for reading only, and cannot be listed`);
  }

  /** `undefined` for an object that is not there. */
  async #request(request: Request): Promise<Answer | undefined> {
    checkObjectKey(request.key);
    for (let attempt = 0; ; attempt++) {
      request.signal?.throwIfAborted();
      const result = await this.#try(request);
      if (!('problem' in result)) return result.answer;
      if (!result.passing || attempt >= this.#options.retries) {
        const message = `${this.label} cannot give '${request.key}': ${result.problem}`;
        throw new CastoreError('io', message, { cause: result.cause });
      }
      await sleep(result.pauseMs ?? this.#pauseMs(attempt), undefined, { signal: request.signal });
    }
  }

  #pauseMs(attempt: number): number {
    const full = Math.min(longestPauseMs, this.#options.retryDelayMs * 2 ** attempt);
    return full * (0.5 + Math.random() / 2);
  }

  async #try({ method, key, signal, headers = {} }: Request): Promise<Attempt> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    const path = key.split('/').map(encodeURIComponent).join('/');
    try {
      const {
        statusCode,
        body,
        headers: answered,
      } = await client.request({
        origin: this.#base.origin,
        path: `${this.#base.pathname}${path}`,
        method,
        headers: { ...this.#headers, ...headers },
        signal: signal ?? null,
      });
      if (statusCode === 404 || statusCode === 410) {
        await body.dump();
        return { answer: undefined };
      }
      if (statusCode === 200 || statusCode === 206 || statusCode === 416) {
        const bytes = await this.#readBody(body, key);
        return { answer: { status: statusCode, headers: answered, body: bytes } };
      }
      await body.dump();
      const passing = statusCode === 408 || statusCode === 429 || statusCode >= 500;
      return {
        problem: `the server answers ${statusCode}`,
        passing,
        pauseMs: retryAfterMs(answered['retry-after']),
      };
    } catch (cause) {
      if (cause instanceof CastoreError || signal?.aborted === true) throw cause;
      return { problem: cause instanceof Error ? cause.message : String(cause), passing: true, cause };
    }
  }

  async #readBody(body: AsyncIterable<Uint8Array>, key: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of body) {
      length += piece.length;
      if (length > this.#options.maxObjectBytes) {
        throw new CastoreError('limit-exceeded', `${this.label} sends too many bytes as '${key}'`);
      }
      pieces.push(piece);
    }
    return Buffer.concat(pieces, length);
  }

  async #connect(): Promise<Dispatcher> {
    // By its default, since a bundler does not know the names that a CommonJS module exports.
    const {
      default: { Agent, interceptors },
    } = await import('undici');
    const { concurrency, timeoutMs } = this.#options;
    const agent = new Agent({
      connections: concurrency,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    return agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  }
}

type Request = {
  readonly method: 'GET' | 'HEAD';
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

type Attempt =
  | { readonly answer: Answer | undefined }
  | {
      readonly problem: string;
      readonly passing: boolean;
      readonly pauseMs?: number | undefined;
      readonly cause?: unknown;
    };

/** Seconds or a date. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(longestPauseMs, Math.max(0, ms));
}

function authorization(url: URL): Readonly<Record<string, string>> {
  if (url.username === '' && url.password === '') return {};
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}
