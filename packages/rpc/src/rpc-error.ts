/**
 * The one error of this package: how a call over gRPC ended, under the names and numbers of gRPC's status codes. The
 * services of this package convert it (`status.ts`): who uses them sees `CastoreError`, `StoreError` and `BuildError`, and an
 * `RpcError` only for an address that is none or cannot be listened at.
 *
 * Source: grpc.io, "Status codes and their use in gRPC".
 */

/** Codes are stable, messages are not. */
export const statusNumbers = {
  cancelled: 1,
  unknown: 2,
  'invalid-argument': 3,
  'deadline-exceeded': 4,
  'not-found': 5,
  'already-exists': 6,
  'permission-denied': 7,
  'resource-exhausted': 8,
  'failed-precondition': 9,
  aborted: 10,
  'out-of-range': 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  'data-loss': 15,
  unauthenticated: 16,
} as const;

export type RpcErrorCode = keyof typeof statusNumbers;

const codesByNumber = new Map<number, RpcErrorCode>(
  // The keys are those of the table above.
  Object.entries(statusNumbers).map(([code, number]) => [number, code as RpcErrorCode]),
);

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcErrorCode;

  constructor(code: RpcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** The number of the status on the wire. */
  get statusNumber(): number {
    return statusNumbers[this.code];
  }
}

/** Numbers that gRPC does not define are `unknown`. */
export function codeOfStatus(statusNumber: number): RpcErrorCode {
  return codesByNumber.get(statusNumber) ?? 'unknown';
}
