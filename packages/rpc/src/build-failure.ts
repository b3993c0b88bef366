/**
 * How a build failed, as a message of our extension and as a status of gRPC, and back. Failures of the builder itself (`io`)
 * are statuses in both: what went wrong inside of the server is not for strangers.
 */
import { BuildError, type BuildErrorCode, type ExitStatus } from '@neve/build';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  StreamBuildResponse_Failure_Code as Code,
  type StreamBuildResponse_Failure,
  type StreamBuildResponse_FailureSchema,
} from './generated/neve/build/v1/rpc_streambuild_pb.ts';
import { RpcError, type RpcErrorCode } from './rpc-error.ts';

type ToldCode = Exclude<BuildErrorCode, 'io'>;

const codeNumbers = {
  'invalid-request': Code.INVALID_REQUEST,
  failed: Code.FAILED,
  'output-missing': Code.OUTPUT_MISSING,
  'invalid-output': Code.INVALID_OUTPUT,
  timeout: Code.TIMEOUT,
  silent: Code.SILENT,
  'limit-exceeded': Code.LIMIT_EXCEEDED,
  unsupported: Code.UNSUPPORTED,
  'no-sandbox': Code.NO_SANDBOX,
} as const satisfies Record<ToldCode, Code>;

const codesByNumber = new Map<Code, BuildErrorCode>(
  // The keys are those of the table above.
  Object.entries(codeNumbers).map(([code, number]) => [number, code as BuildErrorCode]),
);

const maxMessageLength = 4000;

/** `undefined` for what is no failure of a build: it is to be the status of the call. */
export function writeFailure(
  error: unknown,
): MessageInitShape<typeof StreamBuildResponse_FailureSchema> | undefined {
  if (!(error instanceof BuildError) || error.code === 'io') return undefined;
  return {
    code: codeNumbers[error.code],
    message: printable(error.message),
    ...(error.status !== undefined && { status: writeStatus(error.status) }),
  };
}

/** A code that is not known here is `io`. */
export function readFailure({ code, message, status }: StreamBuildResponse_Failure): BuildError {
  return new BuildError(codesByNumber.get(code) ?? 'io', printable(message), { status: readStatus(status) });
}

/** What a client throws when a call of our extension failed, and not the build. */
export function streamBuildErrorOf(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  const code = error.code === 'invalid-argument' ? 'invalid-request' : 'io';
  return new BuildError(code, `building elsewhere: ${error.message}`, { cause: error });
}

/** What a client throws when `DoBuild` failed: the status is all that there is. Snix has `internal` for every build. */
export function plainBuildErrorOf(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  const code = plainCodes[error.code] ?? 'io';
  return new BuildError(code, `building elsewhere: ${error.message}`, { cause: error });
}

const plainCodes: Partial<Record<RpcErrorCode, BuildErrorCode>> = {
  'invalid-argument': 'invalid-request',
  'failed-precondition': 'failed',
  internal: 'failed',
  unknown: 'failed',
  'deadline-exceeded': 'timeout',
  'resource-exhausted': 'limit-exceeded',
  'permission-denied': 'unsupported',
  unimplemented: 'unsupported',
};

type Status = NonNullable<MessageInitShape<typeof StreamBuildResponse_FailureSchema>['status']>;

function writeStatus(status: ExitStatus): Status {
  return 'code' in status
    ? { case: 'exitCode', value: status.code }
    : { case: 'signal', value: status.signal };
}

function readStatus(status: StreamBuildResponse_Failure['status']): ExitStatus | undefined {
  if (status.case === 'exitCode') return { code: status.value };
  return status.case === 'signal' ? { signal: printable(status.value) } : undefined;
}

/** Lines of text, and nothing that a terminal would heed. */
function printable(message: string): string {
  const text = message.replaceAll(/[^\P{Cc}\n]+/gu, ' ');
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text;
}
