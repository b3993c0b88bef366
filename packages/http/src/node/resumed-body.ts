/**
 * A body that goes on where it broke off, by a request for the rest (RFC 9110, 14). The server is asked to go on only if it
 * has a strong name for this version of the file (`ETag`, else `Last-Modified`), and `If-Range` makes it send all of a
 * newer one. One that sends from the beginning again is read from there, and what is known already is passed over; it has
 * to be the same version, as far as its headers say. Whoever knows the digest must look at it in the end.
 *
 * A range that the caller asked for is treated in the same way, so that a server which knows no ranges gives it too.
 *
 * An encoded body (`Content-Encoding`) is not continued: two encodings of one file need not be the same bytes.
 */
import { type Problem, problemOfStatus } from '../failure.ts';
import type { RawResponse } from './http-client.ts';
import type { Retries } from './retries.ts';

/** In bytes. Without a length, up to the end of the file. */
export type ByteRange = { readonly offset: number; readonly length?: number };

export type ResumeOptions = {
  readonly range: ByteRange | undefined;
  /** The same request again with these headers, tried until there is an answer. */
  readonly send: (headers: Record<string, string>) => Promise<RawResponse>;
  readonly retries: Retries;
  readonly signal: AbortSignal | undefined;
};

/** For the first request; no header for a whole file. */
export function rangeHeaders(range: ByteRange | undefined): Record<string, string> {
  if (range === undefined) return {};
  const { offset, length } = range;
  if (offset === 0 && length === undefined) return {};
  return { range: `bytes=${offset}-${length === undefined ? '' : offset + length - 1}` };
}

/** The size of the whole file in bytes, if the answer says it. */
export function fileSize(response: RawResponse): number | undefined {
  if (response.status !== 206) return readNumber(response.header('content-length'));
  return readContentRange(response)?.size;
}

/** `first` has the status 200, or 206 for a range. Gives the bytes of the range; fewer where the file ends. */
export async function* resumedBody(
  first: RawResponse,
  { range, send, retries, signal }: ResumeOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { offset, length = Infinity } = range ?? { offset: 0 };
  const end = offset + length;
  const version = versionOf(first);
  let response = first;
  // Where in the file the next byte of the answer is, and the next one that the caller gets.
  let at = firstByte(first, { asked: offset, version, retries });
  let position = offset;
  for (;;) {
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        const piece = chunk.subarray(Math.max(0, position - at), Math.max(0, end - at));
        at += chunk.length;
        position += piece.length;
        retries.progressed(piece.length);
        if (piece.length > 0) yield piece;
        // A server that sends more than was asked for is not listened to. One that does not may be asked again.
        if (at > end) return;
      }
      checkEnd({ at, position, offset, end: Math.min(end, version.size ?? position) });
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (version.isEncoded) throw retries.error(encodedProblem(error));
      await retries.failed(error);
    }
    const canContinue = version.validator !== undefined && version.takesRanges && position > offset;
    const asked = canContinue ? position : offset;
    response = await send({
      ...rangeHeaders(rest(range, asked)),
      ...(canContinue ? { 'if-range': version.validator } : {}),
    });
    at = firstByte(response, { asked, version, retries });
  }
}

function rest(range: ByteRange | undefined, offset: number): ByteRange {
  return range?.length === undefined ? { offset } : { offset, length: range.offset + range.length - offset };
}

/** What the headers of an answer say about the file. */
type Version = {
  /** The whole of it, in bytes. */
  readonly size: number | undefined;
  readonly validator: string | undefined;
  readonly takesRanges: boolean;
  readonly isEncoded: boolean;
};

function versionOf(response: RawResponse): Version {
  const encoding = response.header('content-encoding')?.toLowerCase() ?? 'identity';
  const etag = response.header('etag');
  const isStrong = etag !== undefined && !etag.startsWith('W/');
  return {
    size: fileSize(response),
    validator: isStrong ? etag : response.header('last-modified'),
    takesRanges: response.header('accept-ranges')?.toLowerCase() !== 'none',
    isEncoded: encoding !== 'identity' && encoding !== '',
  };
}

type Continuation = { readonly asked: number; readonly version: Version; readonly retries: Retries };

/** Where in the file the answer begins. Throws unless it belongs to the version, which may be its own. */
function firstByte(response: RawResponse, { asked, version, retries }: Continuation): number {
  const fail = (problem: Problem): never => {
    // The connection is of no more use.
    response.body.on('error', () => undefined).destroy();
    throw retries.error(problem);
  };
  const { status } = response;
  if (status === 200) {
    const { size, validator, isEncoded } = versionOf(response);
    const isSame =
      size === version.size && validator === version.validator && isEncoded === version.isEncoded;
    return isSame ? 0 : fail(changed);
  }
  if (status === 416) return fail(changed);
  if (status !== 206) return fail(problemOfStatus(status, response.statusText));
  const { start, size } = readContentRange(response) ?? {};
  if (start !== asked) return fail(anotherRange);
  const isSameSize = version.size === undefined || size === undefined || size === version.size;
  return isSameSize ? asked : fail(changed);
}

const changed: Problem = {
  code: 'bad-answer',
  problem: 'the file was changed while it was downloaded',
  hint: 'start the download again',
};

const anotherRange: Problem = {
  code: 'bad-answer',
  problem: 'the server sends another range than it was asked for',
  hint: 'tell whoever runs it',
};

function encodedProblem(cause: unknown): Problem {
  const problem = `the body broke off (${cause instanceof Error ? cause.message : String(cause)}), and it is encoded`;
  return { code: 'unreachable', problem, hint: 'try again', cause };
}

type BodyEnd = {
  readonly at: number;
  readonly position: number;
  readonly offset: number;
  readonly end: number;
};

/** Throws for a body that ended like a good one, but too soon. */
function checkEnd({ at, position, offset, end }: BodyEnd): void {
  const isShorterThanBefore = position > offset && at < position;
  if (position >= end && !isShorterThanBefore) return;
  throw new Error(`the body ended after ${at} of ${Math.max(end, position)} bytes`);
}

/** `bytes 0-99/1000`, or `bytes 0-99/*`. */
function readContentRange(response: RawResponse): { start: number; size: number | undefined } | undefined {
  const match = /^bytes ([0-9]+)-[0-9]+\/([0-9]+|\*)$/.exec(response.header('content-range') ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), size: readNumber(match[2]) };
}

function readNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}
