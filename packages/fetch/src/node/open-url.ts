/**
 * A stream of what is at a URL, `file:`, `http:` or `https:`. The client of `@neve/http` does the rest: redirects, attempts,
 * the continuation of what broke off.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { redactUrl } from '@neve/diagnostics';
import { HttpError, statusError } from '@neve/http';
import { FetchError } from '../fetch-error.ts';
import { parseImmutableLink } from '../link-header.ts';
import { parseNixUrl, pathOfUrl } from '../nix-url.ts';
import type { FetchCall, FetchContext } from './fetch-context.ts';

export type OpenedUrl =
  /** The file still is what the ETag names. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'body';
      readonly body: AsyncIterable<Uint8Array>;
      /** In bytes, if the server says it. */
      readonly size: number | undefined;
      readonly etag: string | undefined;
      readonly immutableUrl: string | undefined;
      /** What answered in the end, without user and password. */
      readonly url: string;
    };

/** Throws `FetchError`, also while the body is read, and the reason of the signal. */
export async function openUrl(
  url: string,
  {
    etag,
    context,
    call,
  }: { readonly etag?: string; readonly context: FetchContext; readonly call: FetchCall },
): Promise<OpenedUrl> {
  const { scheme } = parseNixUrl(url);
  if (scheme === 'file') return await openFile(url);
  if (scheme !== 'http' && scheme !== 'https') {
    throw new FetchError(
      'unsupported',
      `unable to download '${redactUrl(url)}': the scheme '${scheme}' is not supported; use https`,
    );
  }
  return refusing(async () => {
    const response = await context.http.request(
      { url, ...(etag === undefined ? {} : { ifNoneMatch: etag }) },
      call.signal,
    );
    if (response.status === 304) {
      await response.discard();
      return { kind: 'unchanged' };
    }
    if (response.status !== 200) {
      await response.discard();
      throw statusError({ method: 'GET', url }, response);
    }
    return {
      kind: 'body',
      body: watched(response.body),
      size: response.contentEncoding === 'identity' ? response.size : undefined,
      etag: response.header('etag'),
      immutableUrl: parseImmutableLink(response.header('link'), response.url),
      url: response.url,
    };
  });
}

async function openFile(url: string): Promise<OpenedUrl> {
  const path = pathOfUrl(parseNixUrl(url));
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new FetchError('not-found', `unable to download '${url}': Could not open file ${path}`);
  }
  if (found.isDirectory()) {
    throw new FetchError('invalid-fetch', `unable to download '${url}': ${path} is a directory, not a file`);
  }
  const body = createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  return { kind: 'body', body, size: found.size, etag: undefined, immutableUrl: undefined, url };
}

async function* watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body;
  } catch (error) {
    throw ours(error);
  }
}

async function refusing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw ours(error);
  }
}

function ours(error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  const isMissing = error.status !== undefined && [401, 403, 404, 410].includes(error.status);
  const code = error.code === 'bad-url' || error.code === 'bad-setting' ? 'invalid-fetch' : 'io';
  return new FetchError(isMissing ? 'not-found' : code, `unable to download: ${error.message}`, {
    cause: error,
  });
}
