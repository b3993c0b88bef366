/** The hash part of a store path as bytes, which is what databases and servers have for keys. */
import { BytesError, decodeNixBase32 } from '@neve/bytes';
import { hashPartLength } from '@neve/nix-compat';
import { StoreError } from './store-error.ts';

/** 20 bytes of the 32 characters. Throws `StoreError` (`invalid-path-info`) for what is no hash part. */
export function hashPartBytes(hashPart: string): Uint8Array {
  try {
    if (hashPart.length === hashPartLength) return decodeNixBase32(hashPart);
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
  }
  throw new StoreError('invalid-path-info', `'${hashPart}' is not the hash part of a store path`);
}
