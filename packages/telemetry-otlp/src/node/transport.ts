/** The way of requests to a collector: one attempt to hand one over. */
export interface Transport {
  /** `body` is called once there is a connection. Never throws. */
  send(body: () => Uint8Array, timeoutMs: number): Promise<Outcome>;
  /** Ends connections and requests. */
  close(): void;
}

/** What a collector has made of a request. */
export type Outcome =
  | { readonly kind: 'taken'; readonly answer: Uint8Array }
  /** Another attempt would be refused as well. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'failed';
      readonly why: string;
      /** Nobody listens. */
      readonly isAbsent: boolean;
      /** When the collector wants to be asked again. */
      readonly afterMs?: number | undefined;
    };

/** Of a connection, or of a request that had been sent. */
export function failureOf(error: unknown): Outcome {
  const why = error instanceof Error ? error.message || String(codeOf(error)) : String(error);
  return { kind: 'failed', why, isAbsent: absent.has(codeOf(error)) };
}

const absent: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT']);

/** A name with several addresses fails with the errors of all. */
function codeOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
