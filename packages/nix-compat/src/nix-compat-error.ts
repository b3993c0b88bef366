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
  | 'unsupported-derivation';

export class NixCompatError extends Error {
  override readonly name = 'NixCompatError';
  readonly code: NixCompatErrorCode;

  constructor(code: NixCompatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
