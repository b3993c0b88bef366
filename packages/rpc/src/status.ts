/**
 * The table between errors of the services and status codes of gRPC, both ways.
 *
 * What a stranger may read about a failure is decided here. Messages about the request itself go out; what went wrong
 * inside of the server (`io`, `corrupt`, a bug) may name its files, and becomes one general sentence.
 */
import { BuildError, type BuildErrorCode } from '@neve/build';
import { CastoreError, type CastoreErrorCode } from '@neve/castore';
import { NixCompatError } from '@neve/nix-compat';
import { StoreError, type StoreErrorCode } from '@neve/store';
import { RpcError, type RpcErrorCode } from './rpc-error.ts';

type Row = { readonly status: RpcErrorCode; readonly isShown: boolean };

const castoreRows: Readonly<Record<CastoreErrorCode, Row>> = {
  'invalid-digest': { status: 'invalid-argument', isShown: true },
  'invalid-name': { status: 'invalid-argument', isShown: true },
  'invalid-directory': { status: 'invalid-argument', isShown: true },
  'invalid-archive': { status: 'invalid-argument', isShown: true },
  'limit-exceeded': { status: 'resource-exhausted', isShown: true },
  'not-found': { status: 'not-found', isShown: true },
  unsupported: { status: 'unimplemented', isShown: true },
  corrupt: { status: 'data-loss', isShown: false },
  io: { status: 'internal', isShown: false },
};

const storeRows: Readonly<Record<StoreErrorCode, Row>> = {
  'invalid-path-info': { status: 'invalid-argument', isShown: true },
  untrusted: { status: 'permission-denied', isShown: true },
  'not-found': { status: 'not-found', isShown: true },
  unsupported: { status: 'unimplemented', isShown: true },
  corrupt: { status: 'data-loss', isShown: false },
  io: { status: 'internal', isShown: false },
};

/** A client cannot tell `failed` from other failures by its status alone: our extension says it (`build-failure.ts`). */
const buildRows: Readonly<Record<BuildErrorCode, Row>> = {
  'invalid-request': { status: 'invalid-argument', isShown: true },
  failed: { status: 'failed-precondition', isShown: true },
  'output-missing': { status: 'failed-precondition', isShown: true },
  'invalid-output': { status: 'failed-precondition', isShown: true },
  timeout: { status: 'deadline-exceeded', isShown: true },
  silent: { status: 'deadline-exceeded', isShown: true },
  'limit-exceeded': { status: 'resource-exhausted', isShown: true },
  unsupported: { status: 'unimplemented', isShown: true },
  'no-sandbox': { status: 'unimplemented', isShown: true },
  io: { status: 'internal', isShown: false },
};

/** What is said of failures that are not shown. */
const concealed = {
  'data-loss': 'what is stored here is damaged',
  internal: 'the store behind this server failed',
  builder: 'the builder behind this server failed',
  other: 'the server failed',
} as const;

const maxMessageLength = 1000;

/** What a server tells about something that was thrown. */
export function statusOfError(error: unknown): RpcError {
  if (error instanceof RpcError) return shown(error.code, error.message);
  if (error instanceof NixCompatError) return shown('invalid-argument', error.message);
  const row = rowOf(error);
  if (row === undefined) return new RpcError('internal', concealed.other);
  if (row.isShown && error instanceof Error) return shown(row.status, error.message);
  if (error instanceof BuildError) return new RpcError(row.status, concealed.builder);
  return new RpcError(row.status, row.status === 'data-loss' ? concealed['data-loss'] : concealed.internal);
}

/** Whether somebody should look at it: no stranger's mistake, but a failure on this side. */
export function isServerFailure(error: unknown): boolean {
  if (error instanceof RpcError || error instanceof NixCompatError) return false;
  return rowOf(error)?.isShown !== true;
}

/** What a client throws for a call about blobs or directories; `invalid` is the code for a refused request. */
export function castoreErrorOf(error: unknown, what: string, invalid: CastoreErrorCode): unknown {
  if (!(error instanceof RpcError)) return error;
  return new CastoreError(castoreCode(error.code, invalid), `${what}: ${error.message}`, { cause: error });
}

/** What a client throws for a call about path infos. */
export function storeErrorOf(error: unknown, what: string): unknown {
  if (!(error instanceof RpcError)) return error;
  return new StoreError(storeCode(error.code), `${what}: ${error.message}`, { cause: error });
}

function castoreCode(code: RpcErrorCode, invalid: CastoreErrorCode): CastoreErrorCode {
  switch (code) {
    case 'invalid-argument':
      return invalid;
    case 'not-found':
      return 'not-found';
    case 'unimplemented':
      return 'unsupported';
    case 'data-loss':
      return 'corrupt';
    case 'resource-exhausted':
      return 'limit-exceeded';
    default:
      return 'io';
  }
}

function storeCode(code: RpcErrorCode): StoreErrorCode {
  switch (code) {
    case 'invalid-argument':
      return 'invalid-path-info';
    case 'permission-denied':
      return 'untrusted';
    case 'not-found':
      return 'not-found';
    case 'unimplemented':
      return 'unsupported';
    case 'data-loss':
      return 'corrupt';
    default:
      return 'io';
  }
}

function rowOf(error: unknown): Row | undefined {
  if (error instanceof CastoreError) return castoreRows[error.code];
  if (error instanceof BuildError) return buildRows[error.code];
  return error instanceof StoreError ? storeRows[error.code] : undefined;
}

function shown(code: RpcErrorCode, message: string): RpcError {
  const printable = message.replaceAll(/\p{Cc}+/gu, ' ');
  const isLong = printable.length > maxMessageLength;
  return new RpcError(code, isLong ? `${printable.slice(0, maxMessageLength)}…` : printable);
}
