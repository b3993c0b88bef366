/** Requests and answers in JSON, of the servers' own API. */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { CacheRequest, CacheResponse } from '../http-exchange.ts';
import { NarBridgeError } from '../nar-bridge-error.ts';
import { bytesResponse, textResponse } from '../text-response.ts';

/** 100 000 paths. */
const maxBodyBytes = 8 << 20;

export function jsonResponse(value: unknown, status = 200): CacheResponse {
  return bytesResponse(encodeUtf8(`${JSON.stringify(value)}\n`), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  });
}

/** Throws `NarBridgeError` (`bad-option`) for what is too large, or no JSON. */
export async function readJson({ body }: CacheRequest): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBodyBytes)
      throw new NarBridgeError('bad-option', `the body has more than ${maxBodyBytes} bytes`);
    pieces.push(piece.slice());
  }
  try {
    return JSON.parse(decodeUtf8(concatBytes(pieces)));
  } catch (cause) {
    throw new NarBridgeError('bad-option', 'the body is no JSON', { cause });
  }
}

/** A member of a JSON object; nothing for what is none. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** The answers to errors that are the client's; others are thrown again. */
export function answerOfError(error: unknown): CacheResponse {
  if (!(error instanceof NarBridgeError)) throw error;
  if (error.code === 'bad-option') return textResponse(400, error.message);
  if (error.code === 'not-found') return textResponse(404, error.message);
  if (error.code === 'exists') return textResponse(409, error.message);
  throw error;
}
