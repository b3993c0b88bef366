/**
 * The one error of this package. Codes are stable; messages are those of Nix where it has one, since they are shown to users
 * of Nix.
 *
 *     protocol          the other side does not keep to the protocol, or speaks a version that is not spoken here
 *     not-privileged    a client asks for what only trusted ones may do
 *     invalid-path      a path is not in the store
 *     invalid-request   what is asked for makes no sense, or not in this state of the store
 *     mismatch          contents are not what they were said to be
 *     untrusted         nobody who is trusted vouches for it
 *     unsupported       it is not done here
 *     io                a socket or a file failed
 *     remote-failure    a program of Nix says that it could not do what it was asked for
 */
export type NixDaemonErrorCode =
  | 'protocol'
  | 'not-privileged'
  | 'invalid-path'
  | 'invalid-request'
  | 'mismatch'
  | 'untrusted'
  | 'unsupported'
  | 'io'
  | 'remote-failure';

export class NixDaemonError extends Error {
  override readonly name = 'NixDaemonError';
  readonly code: NixDaemonErrorCode;

  constructor(code: NixDaemonErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
