/**
 * A body that goes on where it broke off, by a request for the rest (RFC 9110, 14). The server is asked for a range only
 * if it has a strong name for this version of the file (`ETag`, else `Last-Modified`), and `If-Range` makes it send all of
 * a newer one. One that sends everything again is read from its beginning, and what is known already is passed over; it
 * has to be the same version, as far as its headers say. Whoever knows the digest must look at it in the end.
 *
 * An encoded body (`Content-Encoding`) is not continued: two encodings of one file need not be the same bytes.
 */
import type { RawResponse } from './http-client.ts';
import { failureOfStatus } from './http-failure.ts';
import type { Retries } from './http-retries.ts';

export type ResumeOptions = {
  /** The same request again with these headers, tried until there is an answer. */
  readonly send: (headers: Record<string, string>) => Promise<RawResponse>;
  readonly retries: Retries;
  readonly signal: AbortSignal | undefined;
};

/** What the headers of the first answer say about the file. */
type Version = {
  /** The whole of it, in bytes. */
  readonly size: number | undefined;
  readonly validator: string | undefined;
  readonly takesRanges: boolean;
  readonly isEncoded: boolean;
};

export async function* resumedBody(
  first: RawResponse,
  { send, retries, signal }: ResumeOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const version = versionOf(first);
  let response = first;
  let received = 0;
  let passOver = 0;
  for (;;) {
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        const known = Math.min(passOver, chunk.length);
        passOver -= known;
        if (known === chunk.length) continue;
        const piece = known === 0 ? chunk : chunk.subarray(known);
        received += piece.length;
        retries.progressed(piece.length);
        yield piece;
      }
      checkEnd({ received, passOver, size: version.size });
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (version.isEncoded) throw retries.error(`${describe(error)}, and it is encoded`, 'try again');
      await retries.failed(error);
    }
    response = await send(rangeHeaders(version, received));
    passOver = startOf(response, { version, received, retries });
  }
}

function versionOf(response: RawResponse): Version {
  const encoding = response.header('content-encoding')?.toLowerCase() ?? 'identity';
  const etag = response.header('etag');
  const isStrong = etag !== undefined && !etag.startsWith('W/');
  return {
    size: readNumber(response.header('content-length')),
    validator: isStrong ? etag : response.header('last-modified'),
    takesRanges: response.header('accept-ranges')?.toLowerCase() !== 'none',
    isEncoded: encoding !== 'identity' && encoding !== '',
  };
}

function rangeHeaders({ validator, takesRanges }: Version, received: number): Record<string, string> {
  if (received === 0 || validator === undefined || !takesRanges) return {};
  return { range: `bytes=${received}-`, 'if-range': validator };
}

type Continuation = { readonly version: Version; readonly received: number; readonly retries: Retries };

/** How many bytes of the new answer are known already. Throws unless it belongs to the same version. */
function startOf(response: RawResponse, { version, received, retries }: Continuation): number {
  const changed = (): Error =>
    retries.error('the file was changed while it was downloaded', 'start the download again');
  const { status } = response;
  const fail = (error: Error): never => {
    // The connection is of no more use.
    response.body.on('error', () => undefined).destroy();
    throw error;
  };
  if (status === 200) {
    const { size, validator, isEncoded } = versionOf(response);
    return size === version.size && validator === version.validator && !isEncoded
      ? received
      : fail(changed());
  }
  if (status === 416) return fail(changed());
  if (status !== 206) {
    const { problem, hint } = failureOfStatus(status, response.statusText);
    return fail(retries.error(problem, hint));
  }
  const [, start, size] =
    /^bytes ([0-9]+)-[0-9]+\/([0-9]+|\*)$/.exec(response.header('content-range') ?? '') ?? [];
  if (Number(start) !== received) {
    return fail(
      retries.error('the server sends another range than it was asked for', 'tell whoever runs it'),
    );
  }
  const sameSize = version.size === undefined || size === '*' || Number(size) === version.size;
  return sameSize ? 0 : fail(changed());
}

type BodyEnd = { readonly received: number; readonly passOver: number; readonly size: number | undefined };

/** Throws for a body that ended like a good one, but too soon. */
function checkEnd({ received, passOver, size }: BodyEnd): void {
  if (passOver > 0 || (size !== undefined && received !== size)) {
    throw new Error(`the body ended after ${received} of ${size ?? 'more'} bytes`);
  }
}

function readNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

function describe(error: unknown): string {
  return `the body broke off (${error instanceof Error ? error.message : String(error)})`;
}
