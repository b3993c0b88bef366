/** Errors of the store on their way to the user. What is none of ours is a bug, and is shown with its stack. */
import { BuildError } from '@neve/build';
import { BytesError } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import { CompositionError } from '@neve/compose';
import { HttpError } from '@neve/http';
import { NixCompatError } from '@neve/nix-compat';
import { RpcError } from '@neve/rpc';
import { StoreError } from '@neve/store';
import { write } from '../output.ts';
import { UsageError } from '../usage-error.ts';

/** Writes it to standard error and gives the exit code. */
export function reportStoreError(error: unknown, command: string): number {
  if (error instanceof UsageError) {
    write(2, `error: ${error.message}\nTry 'neve store ${command} --help' for more information.\n`);
  } else if (isExpected(error)) write(2, `error: ${error.message}\n`);
  else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    write(2, `error: this is a bug in Neve, please report it\n${stack}\n`);
  }
  return 1;
}

/** Whether the world or the input is to blame. */
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
    isNixDaemonError(error) ||
    isSystemError(error)
  );
}

/** By its name: its package is loaded only where a store of Nix is spoken to. */
function isNixDaemonError(error: unknown): boolean {
  return error instanceof Error && error.name === 'NixDaemonError';
}

/** What Node throws for a failed system call. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
