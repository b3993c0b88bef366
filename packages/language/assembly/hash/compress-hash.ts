// Folds a digest into fewer bytes by xor, as store paths do with SHA-256: byte i of the digest goes to byte
// i modulo the size. It is kept for compatibility, not for strength.

import { Address } from "../memory/chunks";

/** Bytes of the hash in the name of a store path. */
export const STORE_PATH_HASH_SIZE: u32 = 20;

/** Writes `size` bytes to `out`, which must not overlap the digest. */
export function compressHash(digest: Address, digestLength: u32, out: Address, size: u32): void {
  memory.fill(out, 0, size);
  let at: u32 = 0;
  let i: u32 = 0;
  while (i < digestLength) {
    store<u8>(out + at, load<u8>(out + at) ^ load<u8>(digest + i));
    at = at + 1 == size ? 0 : at + 1;
    i++;
  }
}
