/**
 * The path of a request as segments: what stands between slashes, without percent-encoding.
 *
 *     path = { "/" segment }
 *
 * A segment is a byte string, one character a byte, since the names of files have no encoding. None is empty but the last,
 * none is `.` or `..`, and none has a slash or a NUL, however they were written; so a segment is one name and nothing else.
 */
import type { CacheResponse } from './http-exchange.ts';
import { textResponse } from './text-response.ts';

/** Longer than any name of a store path with the longest path below it that file systems take. */
const maxPathLength = 8192;

export type RequestPath = readonly string[];

/** A response is the refusal of a path that cannot be. */
export function parseRequestPath(path: string): RequestPath | CacheResponse {
  if (path.length > maxPathLength) {
    return textResponse(414, `the path has more than ${maxPathLength} characters`);
  }
  if (!path.startsWith('/')) return textResponse(400, 'the path does not begin with a slash');
  // Most are of one plain name.
  if (path.indexOf('/', 1) === -1 && !path.includes('%') && path[1] !== '.') return [path.slice(1)];
  const segments = path.slice(1).split('/');
  if (!path.includes('%') && !path.includes('/.') && !path.includes('//')) return segments;
  const decoded: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const text = segment.includes('%') ? decodePercent(segment) : segment;
    const isLast = index === segments.length - 1;
    if (text === undefined)
      return textResponse(400, "a '%' in the path is not followed by two hexadecimal digits");
    if (text === '.' || text === '..') return textResponse(400, "'.' and '..' are no names of files");
    if (/[/\0]/.test(text)) return textResponse(400, 'a name in the path has a slash or a NUL in it');
    if (text === '' && !isLast) return textResponse(404, 'the path has an empty name');
    decoded.push(text);
  }
  return decoded;
}

export function isRefusal(path: RequestPath | CacheResponse): path is CacheResponse {
  return !Array.isArray(path);
}

/** The bytes of a segment. */
export function segmentBytes(segment: string): Uint8Array {
  return Uint8Array.from(segment, (character) => character.charCodeAt(0));
}

/** A segment of these bytes, percent-encoded. */
export function encodeSegment(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    isUnreserved(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function decodePercent(segment: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(segment)) return undefined;
  return segment.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** Of RFC 3986: letters, digits and `-._~`. */
function isUnreserved(byte: number): boolean {
  return /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte));
}
