/** Why a text form of bytes was refused. Codes are stable, messages are not. */
export type BytesErrorCode = 'invalid-encoding' | 'invalid-digest';

export class BytesError extends Error {
  override readonly name = 'BytesError';
  readonly code: BytesErrorCode;

  constructor(code: BytesErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
