/**
 * What answers a call on a server. What a handler throws becomes a status (`status.ts`). `signal` is aborted when the caller
 * has gone. Requests that stream are read no faster than the handler takes them.
 */
import type { AnyCodec, AnyMethod, Method, Read, Written } from './method.ts';

export type Handler = { readonly method: AnyMethod; readonly run: Run };

/** One request or one answer is a stream of one. */
export type Run = (requests: AsyncIterable<unknown>, signal: AbortSignal) => AsyncIterable<unknown>;

/** One request, one answer. */
export function answer<Q extends AnyCodec, A extends AnyCodec>(
  method: Method<Q, A>,
  handle: (request: Read<Q>, signal: AbortSignal) => Promise<Written<A>>,
): Handler {
  const run: Run = async function* (requests, signal) {
    for await (const request of requests) yield await handle(request as Read<Q>, signal);
  };
  return { method, run };
}

/** One request, any number of answers. */
export function answerMany<Q extends AnyCodec, A extends AnyCodec>(
  method: Method<Q, A>,
  handle: (request: Read<Q>, signal: AbortSignal) => AsyncIterable<Written<A>>,
): Handler {
  const run: Run = async function* (requests, signal) {
    for await (const request of requests) yield* handle(request as Read<Q>, signal);
  };
  return { method, run };
}

/** Any number of requests, one answer. */
export function gather<Q extends AnyCodec, A extends AnyCodec>(
  method: Method<Q, A>,
  handle: (requests: AsyncIterable<Read<Q>>, signal: AbortSignal) => Promise<Written<A>>,
): Handler {
  const run: Run = async function* (requests, signal) {
    yield await handle(requests as AsyncIterable<Read<Q>>, signal);
  };
  return { method, run };
}

/** Any number of requests and of answers. */
export function exchange<Q extends AnyCodec, A extends AnyCodec>(
  method: Method<Q, A>,
  handle: (requests: AsyncIterable<Read<Q>>, signal: AbortSignal) => AsyncIterable<Written<A>>,
): Handler {
  return { method, run: (requests, signal) => handle(requests as AsyncIterable<Read<Q>>, signal) };
}
