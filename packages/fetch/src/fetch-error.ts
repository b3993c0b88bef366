/**
 * The one error of this package. Codes are stable, messages are not.
 *
 *     invalid-fetch   what is asked for cannot be: an unknown scheme, attributes that exclude each other
 *     not-found       the server, the repository or the file system has it not
 *     hash-mismatch   it has another hash than was expected; `specified` and `got` say which
 *     unsupported     this cannot be fetched here, or not without a program that is missing
 *     io              the network or the disk failed, after all attempts
 *     corrupt         what came is not what it should be: a broken archive, a repository with missing objects
 */
export type FetchErrorCode =
  | 'invalid-fetch'
  | 'not-found'
  | 'hash-mismatch'
  | 'unsupported'
  | 'io'
  | 'corrupt';

export type FetchErrorOptions = ErrorOptions & {
  /** As SRI. */
  readonly specified?: string;
  readonly got?: string;
};

export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly code: FetchErrorCode;
  readonly specified: string | undefined;
  readonly got: string | undefined;

  constructor(code: FetchErrorCode, message: string, options: FetchErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.specified = options.specified;
    this.got = options.got;
  }
}
