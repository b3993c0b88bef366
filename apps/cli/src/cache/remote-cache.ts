/**
 * One cache behind HTTP, as its clients use it: questions about many paths at once where the cache has the API of Neve, one for
 * each path where not, and uploads. Errors say what the server said.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { HttpError } from '@neve/http';
import { HttpClient, type HttpSettings, type UploadResponse, type UploadStream } from '@neve/http/node';
import { type NarInfo, type StoreDirectory, type StorePath, printNarInfo } from '@neve/nix-compat';
import { StoreError } from '@neve/store';
import type { KnownCache } from './known-caches.ts';

export type CacheInfo = {
  readonly name: string;
  readonly publicKeys: readonly string[];
  readonly storeDir: string;
};

export type RemotePin = { readonly name: string; readonly path: string };

/** Of one question. */
const maxPathsAtOnce = 10_000;
const maxQuestions = 32;

export class RemoteCache implements AsyncDisposable {
  /** Without passwords. */
  readonly url: string;
  readonly #client: HttpClient;

  constructor({ url, token }: KnownCache, settings: HttpSettings) {
    const { hostname } = new URL(url);
    const machine = hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const own = token === undefined ? [] : [{ machine, login: 'neve', password: token }];
    this.#client = new HttpClient({
      ...settings,
      baseUrl: url,
      netrc: [...own, ...(settings.netrc ?? [])],
    });
    this.url = url;
  }

  /** `undefined` for a cache without the API. Throws `HttpError`. */
  async info(signal?: AbortSignal): Promise<CacheInfo | undefined> {
    const response = await this.#client.request({ url: '_api/v1/info' }, signal);
    const text = await readText(response.body);
    if (response.status === 401 || response.status === 403)
      throw refused(this.#at('info'), { status: response.status, text });
    const isOurs = response.status === 200 && response.header('content-type') === 'application/json';
    // What our own servers say.
    return isOurs ? (JSON.parse(text) as CacheInfo) : undefined;
  }

  /** Those of the paths that are not there. Throws `HttpError`. */
  async missing(paths: readonly StorePath[], signal?: AbortSignal): Promise<readonly StorePath[]> {
    const missing: StorePath[] = [];
    for (let start = 0; start < paths.length; start += maxPathsAtOnce) {
      const some = paths.slice(start, start + maxPathsAtOnce);
      missing.push(
        ...((await this.#missingByList(some, signal)) ?? (await this.#missingByEach(some, signal))),
      );
    }
    return missing;
  }

  /** Whether a file is there. */
  async has(file: string, signal?: AbortSignal): Promise<boolean> {
    const { status, discard } = await this.#client.request({ method: 'HEAD', url: file }, signal);
    await discard();
    return status === 200;
  }

  async putNar(file: string, stream: UploadStream, signal?: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'application/x-nix-nar' };
    this.#check(file, await this.#client.upload({ method: 'PUT', url: file, headers, body: stream }, signal));
  }

  async putNarInfo(narInfo: NarInfo, store: StoreDirectory, signal?: AbortSignal): Promise<void> {
    const url = `${narInfo.storePath.hashPart}.narinfo`;
    const body = encodeUtf8(printNarInfo(narInfo, store));
    const headers = { 'content-type': 'text/x-nix-narinfo' };
    this.#check(url, await this.#client.upload({ method: 'PUT', url, headers, body }, signal));
  }

  async pins(signal?: AbortSignal): Promise<readonly RemotePin[]> {
    const response = await this.#client.request({ url: '_api/v1/pins' }, signal);
    const text = await readText(response.body);
    if (response.status !== 200) throw refused(this.#at('pins'), { status: response.status, text });
    // What our own servers say.
    return (JSON.parse(text) as { readonly pins: readonly RemotePin[] }).pins;
  }

  async setPin({ name, path }: RemotePin, signal?: AbortSignal): Promise<void> {
    await this.#send('PUT', `_api/v1/pins/${encodeURIComponent(name)}`, { path }, signal);
  }

  async removePin(name: string, signal?: AbortSignal): Promise<void> {
    await this.#send('DELETE', `_api/v1/pins/${encodeURIComponent(name)}`, undefined, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  // oxlint-disable-next-line eslint/max-params -- signal comes last
  async #send(
    method: 'PUT' | 'POST' | 'DELETE',
    url: string,
    value: unknown,
    signal: AbortSignal | undefined,
  ): Promise<UploadResponse> {
    const body = value === undefined ? {} : { body: encodeUtf8(JSON.stringify(value)) };
    const headers = { 'content-type': 'application/json' };
    return this.#check(url, await this.#client.upload({ method, url, headers, ...body }, signal));
  }

  async #missingByList(
    paths: readonly StorePath[],
    signal?: AbortSignal,
  ): Promise<readonly StorePath[] | undefined> {
    const url = '_api/v1/get-missing-paths';
    const response = await this.#client.upload(
      { method: 'POST', url, body: encodeUtf8(JSON.stringify({ paths: paths.map((it) => it.baseName) })) },
      signal,
    );
    const { status, body } = response;
    if (status === 401 || status === 403) throw refused(this.#at(url), { status, text: decodeUtf8(body) });
    const missing = status === 200 ? missingOf(decodeUtf8(body)) : undefined;
    return missing === undefined ? undefined : paths.filter((it) => missing.has(it.baseName));
  }

  async #missingByEach(paths: readonly StorePath[], signal?: AbortSignal): Promise<readonly StorePath[]> {
    const isThere: boolean[] = [];
    let next = 0;
    const ask = async (): Promise<void> => {
      for (let index = next++; index < paths.length; index = next++) {
        isThere[index] = await this.has(`${paths[index]?.hashPart}.narinfo`, signal);
      }
    };
    await Promise.all(Array.from({ length: maxQuestions }, ask));
    return paths.filter((_, index) => isThere[index] !== true);
  }

  #at(file: string): string {
    return `${this.url}/${file}`;
  }

  #check(file: string, response: UploadResponse): UploadResponse {
    const { status, body } = response;
    if (status >= 200 && status < 300) return response;
    throw refused(this.#at(file), { status, text: decodeUtf8(body) });
  }
}

/** The first line of what the server said is the reason. */
function refused(
  url: string,
  { status, text }: { readonly status: number; readonly text: string },
): StoreError {
  const [line = ''] = text.trim().split('\n');
  const reason = line === '' || line.startsWith('<') ? `the server answered ${status}` : line.slice(0, 500);
  return new StoreError(status === 404 ? 'not-found' : 'io', `${url}: ${reason} (${status})`, {
    cause: new HttpError('bad-status', reason, { status }),
  });
}

function missingOf(text: string): ReadonlySet<string> | undefined {
  try {
    // Looked at below.
    const { missing } = JSON.parse(text) as { readonly missing?: unknown };
    return Array.isArray(missing) ? new Set(missing.map(String)) : undefined;
  } catch {
    return undefined;
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece.slice());
  return Buffer.concat(pieces).toString();
}
