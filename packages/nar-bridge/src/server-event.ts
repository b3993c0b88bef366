/** What a server tells of itself: for an access log, for metrics, for whoever watches it. */
export type ServerEvent =
  /** `address` is where clients connect, with the port that was chosen. */
  | { readonly kind: 'listening'; readonly address: string }
  | { readonly kind: 'request-began'; readonly id: string }
  | RequestEnded
  /** The request was answered with 500, or its body was broken off. */
  | { readonly kind: 'request-failed'; readonly id: string; readonly error: unknown }
  /** A connection was closed because of what its client does, or does not. */
  | { readonly kind: 'connection-closed'; readonly remote: string; readonly reason: ConnectionProblem }
  | { readonly kind: 'closing'; readonly activeRequests: number };

export type ConnectionProblem = 'too-many' | 'stalled' | 'bad-request' | 'too-slow';

export type RequestEnded = {
  readonly kind: 'request-ended';
  /** As in the text of an answer with 500. */
  readonly id: string;
  readonly method: string;
  /** Without the query, which may have secrets. */
  readonly path: string;
  readonly status: number;
  /** Of bodies. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** The address of the client; empty for a Unix socket. */
  readonly remote: string;
  readonly userAgent: string;
  /** Whether all of the answer was sent. */
  readonly isComplete: boolean;
};
