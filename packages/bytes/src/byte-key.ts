/**
 * Byte strings as keys of maps: no two of them share a key. What is UTF-8, as nearly every path is, has its text as its
 * key, which is quickly made.
 */
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** What decoding puts in the place of bytes that are not UTF-8. */
const replacement = '\uFFFD';

export function byteKey(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  return text.includes(replacement) ? foreignKey(bytes) : text;
}

/** The bytes whose key this is. */
export function keyBytes(key: string): Uint8Array {
  if (!key.startsWith(replacement)) return encodeUtf8(key);
  return Uint8Array.from(key.slice(1), (character) => character.charCodeAt(0));
}

/** One character a byte, after one that no other key begins with. */
function foreignKey(bytes: Uint8Array): string {
  let key = replacement;
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}
