/**
 * The one error of this package. Codes are stable, messages are not.
 *
 *     invalid-path-info   a path info breaks a rule of the format
 *     untrusted           no signature by a trusted key
 *     corrupt             contents are not what a hash or a size says
 *     not-found           something that is referred to is not there
 *     unsupported         this service cannot do that
 *     io                  the world behind a service failed; `cause` says how
 */
export type StoreErrorCode =
  | 'invalid-path-info'
  | 'untrusted'
  | 'corrupt'
  | 'not-found'
  | 'unsupported'
  | 'io';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
