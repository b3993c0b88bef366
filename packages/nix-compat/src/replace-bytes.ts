/** Replaces byte strings by others of any length. */
import { concatBytes } from '@neve/bytes';

export type ByteReplacement = { readonly from: Uint8Array; readonly to: Uint8Array };

/** The same bytes when nothing was found. One replacement is made after the other, as Nix does. */
export function replaceAllBytes(bytes: Uint8Array, replacements: readonly ByteReplacement[]): Uint8Array {
  let result = bytes;
  for (const replacement of replacements) result = replaceBytes(result, replacement);
  return result;
}

function replaceBytes(bytes: Uint8Array, { from, to }: ByteReplacement): Uint8Array {
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (let at = findBytes(bytes, from, 0); at !== -1; at = findBytes(bytes, from, end)) {
    pieces.push(bytes.subarray(end, at), to);
    end = at + from.length;
  }
  if (pieces.length === 0) return bytes;
  return concatBytes([...pieces, bytes.subarray(end)]);
}

function findBytes(bytes: Uint8Array, wanted: Uint8Array, start: number): number {
  const first = wanted[0] as number;
  for (let at = bytes.indexOf(first, start); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
