/** A short body as one piece, decoded if the client has encoded it (`narinfo-compression` and others of Nix do). */
import { concatBytes } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import { contentEncodings, formatOfEncoding } from '@neve/store';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import type { Decompress } from './nar-compressions.ts';
import { NarBridgeError } from './nar-bridge-error.ts';
import { textResponse } from './text-response.ts';

/** The bytes, or the refusal of a body that is too long, is damaged, or is encoded in a way that is not known. */
export async function readRequestBody(
  { headers, body }: Pick<CacheRequest, 'headers' | 'body'>,
  { maxBytes, decompress }: { readonly maxBytes: number; readonly decompress: Decompress },
): Promise<Uint8Array | CacheResponse> {
  const format = formatOfEncoding(headers['content-encoding']);
  if (format === undefined) return unknownEncoding(headers);
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLong(maxBytes);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of decompress(body, format, { maxBytes: maxBytes + 1 })) {
      length += piece.length;
      if (length > maxBytes) return tooLong(maxBytes);
      pieces.push(piece.slice());
    }
  } catch (error) {
    return bodyProblem(error, maxBytes);
  }
  return concatBytes(pieces);
}

/** The refusal of a body whose reading failed because of what is in it, or ended. Throws any other error. */
export function bodyProblem(error: unknown, maxBytes: number): CacheResponse {
  if (error instanceof NarBridgeError) {
    if (error.code === 'too-large') return textResponse(413, error.message);
    if (error.code === 'interrupted' || error.code === 'mismatch') return textResponse(400, error.message);
  }
  if (error instanceof CastoreError) {
    if (error.code === 'limit-exceeded') return tooLong(maxBytes);
    if (error.code === 'unsupported') return textResponse(415, error.message);
    if (['invalid-archive', 'corrupt', 'invalid-name', 'invalid-directory'].includes(error.code)) {
      return textResponse(400, error.message);
    }
  }
  throw error;
}

function tooLong(maxBytes: number): CacheResponse {
  return textResponse(413, `the body has more than the ${maxBytes} bytes that are allowed`);
}

export function unknownEncoding(headers: CacheRequest['headers']): CacheResponse {
  const given = headers['content-encoding'] ?? '';
  return textResponse(
    415,
    `the Content-Encoding '${given}' is not known; send it as ${contentEncodings.join(', ')}`,
  );
}
