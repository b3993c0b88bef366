import { readFileSync } from 'node:fs';
import { type SecretKey, parseSecretKey } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { UsageError } from '../usage-error.ts';

/** The key in a file. Throws `UsageError`, which names the file. */
export function readSecretKey(file: string): SecretKey {
  try {
    return parseSecretKey(readFileSync(file, 'utf8').trim(), nodeEd25519);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the key file '${file}' cannot be read: ${reason}`);
  }
}
