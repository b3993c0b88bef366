/**
 * Conditions and ranges of requests (RFC 9110, sections 13 and 14): entity tags that are compared, and one range of bytes.
 * What is malformed, and more ranges than one, is as if it were not there, as the RFC allows.
 */
import type { CacheRequest, CacheResponse } from './http-exchange.ts';

export type Headers = CacheRequest['headers'];

/** Whether the client has what this tag names: `If-None-Match` compares weakly. */
export function hasCurrent(headers: Headers, etag: string): boolean {
  const given = headers['if-none-match'];
  if (given === undefined) return false;
  if (given.trim() === '*') return true;
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return given.split(',').some((tag) => opaque(tag) === opaque(etag));
}

/** 304, with those headers of the answer that a cache keeps. */
export function notModified(headers: Readonly<Record<string, string>>): CacheResponse {
  const kept = ['etag', 'cache-control', 'vary', 'accept-ranges'].flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { status: 304, headers: Object.fromEntries(kept) };
}

/** In bytes; `end` is exclusive. */
export type ChosenRange = { readonly start: number; readonly end: number };

/**
 * The range that a GET asks for of something with so many bytes. `undefined` for all of it: no range, several, one for another
 * version (`If-Range`).
 */
export function chosenRange(
  { method, headers }: Pick<CacheRequest, 'method' | 'headers'>,
  { size, etag }: { readonly size: number; readonly etag?: string | undefined },
): ChosenRange | 'unsatisfiable' | undefined {
  const { range } = headers;
  if (range === undefined || method !== 'GET') return undefined;
  const condition = headers['if-range'];
  // Only a strong tag says that the bytes are the same.
  if (condition !== undefined && (condition !== etag || condition.startsWith('W/'))) return undefined;
  const [, first, last] = /^bytes=\s*([0-9]*)-([0-9]*)\s*$/.exec(range) ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/** The head of an answer of so many bytes, of which `body` gives a range: 200, 206, 304 or 416. */
export function rangedResponse(
  request: Pick<CacheRequest, 'method' | 'headers'>,
  options: {
    readonly size: number;
    readonly etag: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: (range: ChosenRange | undefined) => CacheResponse['body'] & object;
  },
): CacheResponse {
  const { size, etag, body } = options;
  const headers = { ...options.headers, etag, 'accept-ranges': 'bytes' };
  if (hasCurrent(request.headers, etag)) return notModified(headers);
  const range = chosenRange(request, { size, etag });
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${size}`, 'content-length': '0' } };
  }
  if (range === undefined) {
    return { status: 200, headers: { ...headers, 'content-length': String(size) }, body: body(undefined) };
  }
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(range.end - range.start),
      'content-range': `bytes ${range.start}-${range.end - 1}/${size}`,
    },
    body: body(range),
  };
}
