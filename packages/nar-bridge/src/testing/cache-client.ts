/** Asks a handler as a client would ask a server, for tests: bodies are bytes on both sides. */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { CacheRequest, CacheResponse, RequestHandler } from '../http-exchange.ts';

export type Asked = {
  readonly method?: string;
  readonly headers?: CacheRequest['headers'];
  /** Text is sent as UTF-8. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
};

export type Answer = {
  readonly status: number;
  readonly headers: CacheResponse['headers'];
  readonly bytes: Uint8Array;
  /** The bytes as UTF-8. */
  readonly text: string;
};

/** `target` is a path, and a query after `?`. */
export function requestOf(
  target: string,
  { method = 'GET', headers = {}, body, signal }: Asked = {},
): CacheRequest {
  const mark = target.indexOf('?');
  return {
    method,
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark)),
    headers,
    body: piecesOf(body),
    signal: signal ?? new AbortController().signal,
  };
}

export async function ask(handler: RequestHandler, target: string, asked: Asked = {}): Promise<Answer> {
  const response = await handler(requestOf(target, asked));
  const bytes = await bytesOf(response);
  return { status: response.status, headers: response.headers, bytes, text: decodeUtf8(bytes) };
}

/** All of a body; none is the empty one. A file cannot be read here. */
export async function bytesOf({ body }: CacheResponse): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  if ('file' in body || 'pieces' in body) throw new Error('the answer is a file');
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece.slice());
  return concatBytes(pieces);
}

async function* piecesOf(body: Asked['body']): AsyncGenerator<Uint8Array, void, void> {
  if (body === undefined) return;
  if (typeof body === 'string') yield encodeUtf8(body);
  else if (body instanceof Uint8Array) yield body;
  else yield* body;
}
