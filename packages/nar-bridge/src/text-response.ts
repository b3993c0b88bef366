/** Answers in plain text: problems, and what has nothing else to say. */
import { encodeUtf8 } from '@neve/bytes';
import type { CacheResponse } from './http-exchange.ts';

/** One whose body is at hand. */
export type BytesResponse = CacheResponse & { readonly body: Uint8Array };

export const textType = 'text/plain; charset=utf-8';

/** `text` gets a line feed at its end. It is shown to whoever asked, and must hold nothing that is not theirs to know. */
export function textResponse(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): BytesResponse {
  return bytesResponse(encodeUtf8(`${text}\n`), {
    status,
    headers: { 'content-type': textType, 'cache-control': 'no-store', ...headers },
  });
}

export function bytesResponse(
  body: Uint8Array,
  { status = 200, headers }: { readonly status?: number; readonly headers: Readonly<Record<string, string>> },
): BytesResponse {
  return { status, headers: { ...headers, 'content-length': String(body.length) }, body };
}

/** What is not there may come at any moment. */
export function notFound(what: string): CacheResponse {
  return textResponse(404, `${what} is not here`, { 'cache-control': 'no-cache' });
}

export function methodNotAllowed(allowed: readonly string[]): CacheResponse {
  const allow = allowed.join(', ');
  return textResponse(405, `only ${allow} can be asked for here`, { allow });
}
