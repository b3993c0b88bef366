/**
 * The one error of this package. Codes are stable, messages are not.
 *
 *     invalid-digest     the text or bytes are not a BLAKE3 digest
 *     invalid-name       not a name that a directory entry may have, or not a target of a symbolic link
 *     invalid-directory  a directory, or a closure of directories, breaks a rule of the format
 *     invalid-archive    an archive is malformed, or asks for what must not be done
 *     corrupt            contents are not what their digest says
 *     not-found          something that is referred to is not there
 *     unsupported        this service, file type or format cannot do that
 *     io                 the world behind a service failed; `cause` says how
 *     limit-exceeded     the input is larger than the caller allowed
 */
export type CastoreErrorCode =
  | 'invalid-digest'
  | 'invalid-name'
  | 'invalid-directory'
  | 'invalid-archive'
  | 'corrupt'
  | 'not-found'
  | 'unsupported'
  | 'io'
  | 'limit-exceeded';

export class CastoreError extends Error {
  override readonly name = 'CastoreError';
  readonly code: CastoreErrorCode;

  constructor(code: CastoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
