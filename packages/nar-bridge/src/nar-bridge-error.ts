/** What goes wrong in a cache and around it. What a client did becomes an answer (`request-body.ts`). */
export type NarBridgeErrorCode =
  /** An address, a certificate or an option cannot be what it is. */
  | 'bad-option'
  /** Somebody else listens there, or it is not allowed. */
  | 'cannot-listen'
  /** What is stored cannot be read. */
  | 'corrupt'
  /** The body of a request did not come to its end. */
  | 'interrupted'
  /** What was put is not what its name or its narinfo says. */
  | 'mismatch'
  /** What was put is larger than allowed. */
  | 'too-large'
  /** There is no such cache, path or pin. */
  | 'not-found'
  /** There is one already. */
  | 'exists';

export class NarBridgeError extends Error {
  override readonly name = 'NarBridgeError';
  readonly code: NarBridgeErrorCode;

  constructor(code: NarBridgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
