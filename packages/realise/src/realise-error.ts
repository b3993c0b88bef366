/**
 * The one error of this package. Codes are stable, messages are not.
 *
 *     not-found            nobody has the path, and nobody knows how to make it
 *     failed               a build failed
 *     failed-dependency    something that it needs failed; `cause` says what
 *     hash-mismatch        a fixed output is not what was said
 *     not-reproducible     a second build gave something else
 *     timeout              a build ran, or was silent, for too long
 *     output-check         an output has what the derivation forbids it
 *     unsupported          no builder here can do it
 *     invalid-derivation   a derivation that makes no sense
 */
export type RealiseErrorCode =
  | 'not-found'
  | 'failed'
  | 'failed-dependency'
  | 'hash-mismatch'
  | 'not-reproducible'
  | 'timeout'
  | 'output-check'
  | 'unsupported'
  | 'invalid-derivation';

export class RealiseError extends Error {
  override readonly name = 'RealiseError';
  readonly code: RealiseErrorCode;

  constructor(code: RealiseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
