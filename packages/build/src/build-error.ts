/**
 * The one error of this package. Codes are stable, messages are not.
 *
 *     invalid-request    a request breaks a rule of `BuildRequest`
 *     failed             the command ended with another status than 0; `status` says which
 *     output-missing     the command ended well and left an output out
 *     invalid-output     an output has what no store keeps: a device, a socket, a pipe
 *     timeout            it ran longer than it may
 *     silent             it printed nothing for longer than it may
 *     limit-exceeded     it needed more memory, processes, output or log than it may
 *     unsupported        this builder is for other systems, or has not what the request wants
 *     no-sandbox         the kernel, or what is installed, allows no sandbox of this kind; nothing was run
 *     io                 the world behind the builder failed; `cause` says how. It may go well another time
 */
export type BuildErrorCode =
  | 'invalid-request'
  | 'failed'
  | 'output-missing'
  | 'invalid-output'
  | 'timeout'
  | 'silent'
  | 'limit-exceeded'
  | 'unsupported'
  | 'no-sandbox'
  | 'io';

/** How a process ended: with an exit code, or by a signal such as `SIGKILL`. */
export type ExitStatus = { readonly code: number } | { readonly signal: string };

export type BuildErrorOptions = ErrorOptions & {
  readonly status?: ExitStatus | undefined;
  readonly keptAt?: string | undefined;
};

export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly code: BuildErrorCode;
  /** Of the command, where it ended by itself. */
  readonly status: ExitStatus | undefined;
  /** Where the build's folder was left, when that was asked for. */
  readonly keptAt: string | undefined;

  constructor(code: BuildErrorCode, message: string, options: BuildErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.keptAt = options.keptAt;
  }
}
