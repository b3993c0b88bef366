/**
 * Where an object store keeps what belongs to blobs. The first two are as the object stores of Snix have them.
 *
 *     chunks/b3/<4 hex>/<64 hex>      a chunk, compressed with zstd, under its own digest
 *     blobs/b3/<4 hex>/<64 hex>       a blob's index (`blob-index.ts`): the list of its chunks, empty for a single one
 *     outboards/b3/<4 hex>/<64 hex>   a blob's outboard, if it is too large for the index
 *
 * The index is written last, so a blob with an index has all its chunks. The outboard of a blob of one chunk is not kept: it
 * is made from the chunk. Others of up to 64 KiB (blobs of 16 MiB) are in the index; a larger one would make every reader
 * wait who does not need it, and parts of it can be fetched from an object of its own. The blob without bytes is nowhere.
 */
import { decodeHex } from '@neve/bytes';
import { B3Digest } from '../b3-digest.ts';

export const chunkPrefix = 'chunks/b3/';
export const blobPrefix = 'blobs/b3/';
export const outboardPrefix = 'outboards/b3/';

/** A larger outboard is an object of its own. */
export const indexedOutboardBytes = 65_536;

/** The largest chunk that any chunker of this format makes. */
export const maxChunkBytes = 16_777_216;

export function chunkKey(digest: B3Digest): string {
  return keyOf(chunkPrefix, digest);
}

export function blobKey(digest: B3Digest): string {
  return keyOf(blobPrefix, digest);
}

export function outboardKey(digest: B3Digest): string {
  return keyOf(outboardPrefix, digest);
}

/** The digest in a key of one of these kinds; `undefined` for a key that is none. */
export function digestInKey(key: string): B3Digest | undefined {
  const hex = /\/b3\/([0-9a-f]{4})\/(\1[0-9a-f]{60})$/.exec(key)?.[2];
  return hex === undefined ? undefined : new B3Digest(decodeHex(hex));
}

function keyOf(prefix: string, { hex }: B3Digest): string {
  return `${prefix}${hex.slice(0, 4)}/${hex}`;
}
