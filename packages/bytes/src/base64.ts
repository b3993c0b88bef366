/** Base 64 with the standard alphabet and padding (RFC 4648 §4). */
import { BytesError } from './bytes-error.ts';

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Throws `BytesError` for foreign characters, white space, and wrong or missing padding. */
export function decodeBase64(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new BytesError('invalid-encoding', `'${text}' is not base 64`);
  }
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i));
}
