/** Hexadecimal, lower case when written, either case when read (RFC 4648 §8). */
import { BytesError } from './bytes-error.ts';

const digits = '0123456789abcdef';

export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += digits.charAt(byte >> 4) + digits.charAt(byte & 15);
  return text;
}

/** Throws `BytesError` unless the text is an even number of hexadecimal digits. */
export function decodeHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) {
    throw new BytesError('invalid-encoding', `'${text}' is not hexadecimal`);
  }
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}
