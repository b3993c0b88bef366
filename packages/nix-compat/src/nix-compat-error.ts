/** Why something is not in a format of Nix. Codes are stable; messages are those of Nix where it has one. */
export type NixCompatErrorCode =
  | 'bad-store-path'
  | 'bad-store-path-name'
  | 'not-in-store'
  | 'bad-reference'
  | 'bad-nar'
  | 'bad-narinfo'
  | 'bad-nix-cache-info'
  | 'bad-content-address'
  | 'bad-signature'
  | 'bad-key'
  | 'bad-json'
  | 'bad-derivation'
  | 'bad-derivation-options'
  | 'unsupported-derivation'
  /** What came over a connection is not what the protocol says. */
  | 'bad-message'
  /** A connection ended in the middle of a message. */
  | 'message-cut-off'
  /** A message is larger than its reader allows. */
  | 'message-too-large'
  /** The version or the features of a protocol do not have what is asked for. */
  | 'unsupported-protocol';

export class NixCompatError extends Error {
  override readonly name = 'NixCompatError';
  readonly code: NixCompatErrorCode;

  constructor(code: NixCompatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
