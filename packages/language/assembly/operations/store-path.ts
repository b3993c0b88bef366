// What a store path looks like: STORE "/" 32 characters of nixbase32 "-" NAME. Nothing is looked up in a store.

import { Address } from "../memory/chunks";
import { bytesEqual } from "../memory/bytes";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const HASH_LENGTH: u32 = 32;
const MAXIMUM_NAME_LENGTH: u32 = 211;

/** The store's directory, without a slash at the end: a permanent STRING. Set when the module is initialized. */
export let storeDirectory: Value = 0;

export function setStoreDirectory(directory: Value): void {
  storeDirectory = directory;
}

/** Whether the bytes are a store path itself, and not something in it. */
export function isStorePath(bytes: Address, length: u32): bool {
  const prefix = stringLength(storeDirectory);
  if (length <= prefix + 1 || load<u8>(bytes + prefix) != 0x2f) return false;
  if (!bytesEqual(bytes, stringBytes(storeDirectory), prefix)) return false;
  return isStorePathName(bytes + prefix + 1, length - prefix - 1);
}

/** Whether the bytes are HASH "-" NAME. */
export function isStorePathName(bytes: Address, length: u32): bool {
  if (length <= HASH_LENGTH + 1 || load<u8>(bytes + HASH_LENGTH) != 0x2d) return false;
  for (let i: u32 = 0; i < HASH_LENGTH; i++) if (!isBase32(<u32>load<u8>(bytes + i))) return false;
  return isStoreName(bytes + HASH_LENGTH + 1, length - HASH_LENGTH - 1);
}

/** Whether the bytes may be the NAME of a store path. */
export function isStoreName(bytes: Address, length: u32): bool {
  if (length == 0 || length > MAXIMUM_NAME_LENGTH) return false;
  for (let i: u32 = 0; i < length; i++) if (!isNameByte(<u32>load<u8>(bytes + i))) return false;
  // Neither "." nor "..", nor either of them before a dash.
  if (load<u8>(bytes) != 0x2e) return true;
  const dots: u32 = length > 1 && load<u8>(bytes + 1) == 0x2e ? 2 : 1;
  return length > dots && load<u8>(bytes + dots) != 0x2d;
}

/** Digits and lower case letters but for e, o, t and u. */
@inline
function isBase32(byte: u32): bool {
  if (byte >= 0x30 && byte <= 0x39) return true;
  return byte >= 0x61 && byte <= 0x7a && byte != 0x65 && byte != 0x6f && byte != 0x74 && byte != 0x75;
}

@inline
function isNameByte(byte: u32): bool {
  if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) return true;
  if (byte >= 0x30 && byte <= 0x39) return true;
  return byte == 0x2b || byte == 0x2d || byte == 0x2e || byte == 0x3f || byte == 0x3d || byte == 0x5f;
}
