/** What clients put and the cache knows better itself: it is read to its end, and left. */
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import { bodyProblem } from './request-body.ts';
import { textResponse } from './text-response.ts';

export async function ignoreUpload(request: CacheRequest, maxBytes: number): Promise<CacheResponse> {
  let length = 0;
  try {
    for await (const piece of request.body) {
      length += piece.length;
      if (length > maxBytes)
        return textResponse(413, `the body has more than the ${maxBytes} bytes that are allowed`);
    }
  } catch (error) {
    return bodyProblem(error, maxBytes);
  }
  return { status: 200, headers: { 'content-length': '0' } };
}
