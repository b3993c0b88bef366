/** Which errors the world, the input or a build is to blame for. All others are bugs. */
import { BuildError } from '@neve/build';
import { BytesError } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import { FetchError } from '@neve/fetch';
import { NixCompatError } from '@neve/nix-compat';
import { RealiseError } from '@neve/realise';
import { StoreError } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';

export function isExpected(error: unknown): error is Error {
  return (
    error instanceof NixDaemonError ||
    error instanceof RealiseError ||
    error instanceof StoreError ||
    error instanceof NixCompatError ||
    error instanceof CastoreError ||
    error instanceof FetchError ||
    error instanceof BuildError ||
    error instanceof BytesError ||
    (error instanceof Error && 'syscall' in error)
  );
}
