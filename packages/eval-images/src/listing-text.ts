/** A directory's entries as one text, the same in whatever order the system gives them. */
import type { DirectoryEntry } from '@neve/eval';
import { compareBytes, concatBytes, encodeUtf8 } from '@neve/bytes';

const types: Record<DirectoryEntry['type'], Uint8Array> = {
  regular: encodeUtf8('\0r'),
  directory: encodeUtf8('\0d'),
  symlink: encodeUtf8('\0l'),
  unknown: encodeUtf8('\0u'),
};
const end = encodeUtf8('\0');

/** No name contains the byte 0. */
export function listingText(entries: readonly DirectoryEntry[]): Uint8Array {
  const sorted = [...entries].sort((left, right) => compareBytes(left.name, right.name));
  return concatBytes(sorted.flatMap(({ name, type }) => [name, types[type], end]));
}
