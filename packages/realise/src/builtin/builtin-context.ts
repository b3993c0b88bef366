/** What builders that are part of Nix are given. They run no command: what they make is computed from nodes. */
import { decodeUtf8 } from '@neve/bytes';
import type { BlobService, DirectoryService } from '@neve/castore';
import type { StoreDirectory } from '@neve/nix-compat';
import { RealiseError } from '../realise-error.ts';
import type { ResolvedDerivation } from '../resolved-derivation.ts';

export type BuiltinContext = {
  readonly resolved: ResolvedDerivation;
  /** Absolute, of the output `out`. */
  readonly outputPath: string;
  readonly store: StoreDirectory;
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** Called with what the user should know, a line each. */
  readonly warn: (message: string) => void;
};

/** The value of a variable of the derivation. Throws `RealiseError` (`builtin-failed`). */
export function requireVariable({ derivation }: ResolvedDerivation, name: string): string {
  const value = derivation.environment.get(name);
  if (value !== undefined) return decodeUtf8(value);
  throw new RealiseError('builtin-failed', `attribute '${name}' missing`);
}
