/**
 * Nix's base 32: 32 characters without e, o, t and u, and the *last* five bits first. The bytes are one
 * little-endian number of `8 * n` bits; the text is that number in base 32 with its most significant digit first,
 * padded with zero bits at the top to `ceil(8 * n / 5)` digits.
 */
import { BytesError } from './bytes-error.ts';

const alphabet = '0123456789abcdfghijklmnpqrsvwxyz';

/** Value of an ASCII character as a digit; 255 for every other. */
const values = new Uint8Array(128).fill(255);
for (let digit = 0; digit < alphabet.length; digit++) values[alphabet.charCodeAt(digit)] = digit;

export function nixBase32Length(byteLength: number): number {
  return Math.ceil((byteLength * 8) / 5);
}

export function encodeNixBase32(bytes: Uint8Array): string {
  let text = '';
  for (let digit = nixBase32Length(bytes.length) - 1; digit >= 0; digit--) {
    const bit = digit * 5;
    const index = bit >> 3;
    const pair = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
    text += alphabet.charAt((pair >> (bit & 7)) & 31);
  }
  return text;
}

/** Throws `BytesError` for a foreign character, a length that no bytes have, or padding that is not zero. */
export function decodeNixBase32(text: string): Uint8Array {
  const length = Math.floor((text.length * 5) / 8);
  if (nixBase32Length(length) !== text.length) {
    throw new BytesError('invalid-encoding', `'${text}' has a length that no nixbase32 text has`);
  }
  const bytes = new Uint8Array(length);
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? 255;
    if (value === 255) {
      throw new BytesError(
        'invalid-encoding',
        `'${text}' contains '${text.charAt(i)}', which is not nixbase32`,
      );
    }
    const bit = (text.length - 1 - i) * 5;
    const shifted = value << (bit & 7);
    orInto(bytes, { index: bit >> 3, value: shifted & 255, text });
    orInto(bytes, { index: (bit >> 3) + 1, value: shifted >> 8, text });
  }
  return bytes;
}

function orInto(
  bytes: Uint8Array,
  { index, value, text }: { index: number; value: number; text: string },
): void {
  if (index < bytes.length) bytes[index] = (bytes[index] as number) | value;
  else if (value !== 0) throw new BytesError('invalid-encoding', `'${text}' has padding which is not zero`);
}
