/** The errors of the packages for which the world or the input is to blame. What is none of them is a bug of Neve. */
import { BuildError } from '@neve/build';
import { BytesError } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import { CompositionError } from '@neve/compose';
import { HttpError } from '@neve/http';
import { NixCompatError } from '@neve/nix-compat';
import { RpcError } from '@neve/rpc';
import { StoreError } from '@neve/store';

export function isExpected(error: unknown): error is Error {
  return (
    error instanceof CastoreError ||
    error instanceof StoreError ||
    error instanceof RpcError ||
    error instanceof CompositionError ||
    error instanceof HttpError ||
    error instanceof NixCompatError ||
    error instanceof BytesError ||
    error instanceof BuildError ||
    isOfLatePackage(error) ||
    isSystemError(error)
  );
}

/** By their names: their packages are loaded only where they are needed. */
function isOfLatePackage(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NixDaemonError' || error.name === 'NarBridgeError');
}

/** What Node throws for a failed system call. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
