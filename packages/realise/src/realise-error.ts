/**
 * The one error of this package. Codes are stable; messages are those of Nix where it has one.
 *
 *     invalid-derivation    the derivation cannot be built by anybody: it breaks a rule, or wants what contradicts itself
 *     unsupported           it wants what is not done here, such as dynamic derivations
 *     unsupported-system    it is for another system, or for one with features that this one has not, or nothing is built here
 *     failed                a build failed; `cause` is the `BuildError`
 *     fixed-output-failed   so did one that may use the network, so that it may go well another time
 *     timeout               a build ran, or was silent, for too long
 *     not-allowed           it wants what the settings forbid, such as no sandbox
 *     not-found             something that it needs is not in the store
 *     hash-mismatch         a fixed output has another hash than was specified; `specified` and `got` say which
 *     output-rejected       an output may not be as it is: it has references that it must not have, or no fitting kind
 *     output-check          an output fails a check of its derivation: what it may refer to, how large it may be
 *     cycle                 outputs refer to each other in a circle
 *     not-reproducible      another build of the same derivation gave another output
 *     builtin-failed        a builder that is part of Nix ended with an error, such as a collision of two files
 *     failed-dependency     something that it needs could not be realised; `failures` say why, and `cause` is the first of them
 *     given-up              it was not begun, since something else had failed
 *     corrupt               a build trace cannot be read
 */
export type RealiseErrorCode =
  | 'invalid-derivation'
  | 'unsupported'
  | 'unsupported-system'
  | 'failed'
  | 'fixed-output-failed'
  | 'timeout'
  | 'not-allowed'
  | 'not-found'
  | 'hash-mismatch'
  | 'output-rejected'
  | 'output-check'
  | 'cycle'
  | 'not-reproducible'
  | 'builtin-failed'
  | 'failed-dependency'
  | 'given-up'
  | 'corrupt';

export type RealiseErrorOptions = ErrorOptions & {
  /** As SRI. */
  readonly specified?: string;
  readonly got?: string;
  readonly failures?: readonly Error[];
};

export class RealiseError extends Error {
  override readonly name = 'RealiseError';
  readonly code: RealiseErrorCode;
  readonly specified: string | undefined;
  readonly got: string | undefined;
  /** Of dependencies. */
  readonly failures: readonly Error[];

  constructor(code: RealiseErrorCode, message: string, options: RealiseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.specified = options.specified;
    this.got = options.got;
    this.failures = options.failures ?? [];
  }
}
