/**
 * The one error of this package. Codes are stable, messages are not; URLs in messages have no passwords.
 *
 *     bad-url       not a URL of http or https
 *     bad-setting   a netrc file or a proxy that cannot be used
 *     unreachable   no answer, or only a part of it: the network, TLS or a proxy is in the way
 *     bad-status    another answer than the one that was asked for; `status` says which
 *     bad-answer    the server breaks the protocol, or changed the file while it was read
 */
export type HttpErrorCode = 'bad-url' | 'bad-setting' | 'unreachable' | 'bad-status' | 'bad-answer';

export type HttpErrorOptions = ErrorOptions & { readonly status?: number | undefined };

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;
  readonly status: number | undefined;

  constructor(code: HttpErrorCode, message: string, { status, ...options }: HttpErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}
