/** What goes wrong around a cache that is no answer to a client: a server that cannot listen, a file that cannot be written. */
export type NarBridgeErrorCode =
  /** An address, a certificate or an option cannot be what it is. */
  | 'bad-option'
  /** Somebody else listens there, or it is not allowed. */
  | 'cannot-listen'
  /** What is stored cannot be read. */
  | 'corrupt'
  /** The body of a request did not come to its end. */
  | 'interrupted';

export class NarBridgeError extends Error {
  override readonly name = 'NarBridgeError';
  readonly code: NarBridgeErrorCode;

  constructor(code: NarBridgeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
