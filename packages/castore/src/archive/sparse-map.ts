/**
 * Where the data of a sparse file lie; all between them are zeroes. Five notations of it exist:
 *
 *     old GNU   type S: four pairs in the header, then blocks of 21 pairs and at offset 504 whether one more follows
 *     pax 0.0   GNU.sparse.size, and a GNU.sparse.offset and a GNU.sparse.numbytes for each part
 *     pax 0.1   GNU.sparse.size, GNU.sparse.map as "offset,length,…", GNU.sparse.name
 *     pax 1.0   GNU.sparse.realsize, GNU.sparse.name; the map stands before the data, padded to whole blocks: the
 *               number of parts, then offset and length of each, every number on a line of its own
 *
 * The archive has the data of all parts one after another. Parts must be in order, must not overlap, must lie in the
 * file and must have together as many bytes as the archive has of them. Source: the GNU tar manual, "Storing Sparse
 * Files".
 */
import { CastoreError } from '../castore-error.ts';
import type { ByteSource } from './byte-source.ts';
import { parsePaxNumber } from './pax-records.ts';
import { blockSize, parseTarSize } from './tar-header.ts';

/** Offsets at even places, each with its length after it. */
export type SparseMap = { readonly sizeBytes: number; readonly parts: readonly number[] };

/** `member` is its name, for messages. */
export type SparseMapSource = {
  readonly input: ByteSource;
  readonly maxHeaderBytes: number;
  readonly member: string;
};

const newline = 0x0a;

/** Throws `CastoreError` (`invalid-archive`) unless the map is sound and has `dataBytes` bytes of data. */
export function checkSparseMap({ sizeBytes, parts }: SparseMap, dataBytes: number, member: string): void {
  let end = 0;
  let total = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const offset = parts[index] as number;
    const length = parts[index + 1];
    if (length === undefined) throw invalid(member, 'has an offset without a length');
    if (offset < end) throw invalid(member, 'has parts that overlap or are out of order');
    end = offset + length;
    total += length;
    if (end > sizeBytes) throw invalid(member, 'goes beyond the end of the file');
  }
  if (total !== dataBytes) {
    throw invalid(member, `speaks of ${total} bytes of data where the archive has ${dataBytes}`);
  }
}

/** The map in a header of type S and in the blocks after it. Throws `CastoreError`. */
export async function readOldGnuMap(
  header: Uint8Array,
  { input, maxHeaderBytes, member }: SparseMapSource,
): Promise<SparseMap> {
  const sizeBytes = parseTarSize(header.subarray(483, 495), 'size of a sparse file');
  const parts: number[] = [];
  addParts(header.subarray(386, 482), parts);
  let more = header[482] !== 0;
  for (let used = blockSize; more; used += blockSize) {
    if (used > maxHeaderBytes) throw tooLarge(member);
    const block = await input.read(blockSize);
    if (block.length < blockSize) throw invalid(member, 'is cut off');
    addParts(block.subarray(0, 504), parts);
    more = block[504] !== 0;
  }
  return { sizeBytes, parts };
}

function addParts(pairs: Uint8Array, parts: number[]): void {
  for (let position = 0; position < pairs.length; position += 24) {
    const length = pairs.subarray(position + 12, position + 24);
    // The first unused place ends the list.
    if (length[0] === 0) return;
    parts.push(
      parseTarSize(pairs.subarray(position, position + 12), 'offset of a sparse part'),
      parseTarSize(length, 'length of a sparse part'),
    );
  }
}

/** The map of pax 0.1. Throws `CastoreError` (`invalid-archive`). */
export function parsePaxMap(text: Uint8Array): readonly number[] {
  const parts: number[] = [];
  if (text.length === 0) return parts;
  for (let start = 0, end = 0; end !== -1; start = end + 1) {
    end = text.indexOf(0x2c, start);
    parts.push(parsePaxNumber(text.subarray(start, end === -1 ? text.length : end), 'part of a sparse map'));
  }
  return parts;
}

/**
 * The map of pax 1.0 in front of the data, and how many bytes it took. `available` is what the archive has of the
 * member. Throws `CastoreError`.
 */
export async function readPaxMap(
  available: number,
  { input, maxHeaderBytes, member }: SparseMapSource,
): Promise<{ readonly parts: readonly number[]; readonly usedBytes: number }> {
  const parts: number[] = [];
  let expected: number | undefined;
  let digits: number[] = [];
  let usedBytes = 0;
  while (expected === undefined || parts.length < expected) {
    usedBytes += blockSize;
    if (usedBytes > maxHeaderBytes) throw tooLarge(member);
    if (usedBytes > available) throw invalid(member, 'is longer than the member');
    const block = await input.read(blockSize);
    if (block.length < blockSize) throw invalid(member, 'is cut off');
    for (const byte of block) {
      if (byte !== newline) {
        digits.push(byte);
        if (digits.length > 20) throw invalid(member, 'has something else than numbers in it');
        continue;
      }
      const number = parsePaxNumber(Uint8Array.from(digits), 'part of a sparse map');
      digits = [];
      if (expected === undefined) expected = number * 2;
      else parts.push(number);
      if (parts.length === expected) break;
    }
  }
  return { parts, usedBytes };
}

function tooLarge(member: string): CastoreError {
  return new CastoreError('limit-exceeded', `the sparse map of ${member} is larger than allowed`);
}

function invalid(member: string, problem: string): CastoreError {
  return new CastoreError('invalid-archive', `the sparse map of ${member} ${problem}`);
}
