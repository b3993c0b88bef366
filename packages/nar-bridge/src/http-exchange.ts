/**
 * A request to a cache and what it answers, without a server around: what `node/` translates from and to a connection. So
 * all that a cache says is tested without one, and the same handler stands behind TCP, TLS and Unix sockets.
 */

export type CacheRequest = {
  readonly method: string;
  /** Still percent-encoded, from its first `/` on, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Read at most once. Ends with an error when the client goes away. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the client goes away, or the server has to end. */
  readonly signal: AbortSignal;
};

export type CacheResponse = {
  readonly status: number;
  /** By lower-case name. `content-length` is there whenever it is known. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a HEAD request it is not sent, and never begun. */
  readonly body?: ResponseBody;
};

export type ResponseBody =
  | Uint8Array
  /** A piece is valid until the next one is asked for. */
  | AsyncIterable<Uint8Array>
  | PiecesBody
  | FileBody;

/** Bytes and parts of files, one after the other. Bytes are valid until the next piece is asked for. */
export type PiecesBody = { readonly pieces: AsyncIterable<Uint8Array | FileBody> };

/** A part of a file of this machine, which the server sends in the fastest way it has. */
export type FileBody = { readonly file: string; readonly start: number; readonly end: number };

/** Never throws for what a client does; what it throws is a failure of the server, and answered with 500. */
export type RequestHandler = (request: CacheRequest) => Promise<CacheResponse>;
