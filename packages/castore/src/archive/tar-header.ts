/**
 * One 512-byte header block of a tar archive, in every dialect.
 *
 *     offset  length  field           offset  length  field
 *          0     100  name               157     100  target of a link
 *        100       8  mode               257       8  magic: "ustar" NUL "00", or "ustar  " NUL of GNU
 *        124      12  size               345     155  ustar: what stands before name and a slash
 *        136      12  time of the last change, in seconds since 1970
 *        148       8  checksum           386      96  old GNU: four parts of a sparse map
 *        156       1  type               482       1  old GNU: whether blocks with more parts follow
 *                                        483      12  old GNU: size of the sparse file with its holes
 *
 * A number is octal digits, spaces before and space or NUL after; or, the first bit set, it is big-endian in two's
 * complement (base 256). The checksum is the sum of all bytes, those of the checksum taken as spaces; some old
 * programs added them up as signed. Sources: POSIX.1-2017 pax, "ustar Interchange Format"; the GNU tar manual,
 * "Basic Tar Format"; libarchive's tar(5).
 */
import { concatBytes } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';

export const blockSize = 512;

export type TarDialect = 'v7' | 'ustar' | 'gnu';

export type TarHeader = {
  readonly dialect: TarDialect;
  readonly name: Uint8Array;
  /** One ASCII character; NUL, as in the oldest archives, is `0`. */
  readonly type: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
  /** Since 1970; `undefined` for what is not a number. */
  readonly modifiedSeconds: number | undefined;
  readonly linkName: Uint8Array;
};

const slash = new Uint8Array([0x2f]);

/** Whether a block is all zeroes, as the two are that end an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Throws `CastoreError` (`invalid-archive`). */
export function parseTarHeader(block: Uint8Array): TarHeader {
  checkSum(block);
  const dialect = dialectOf(block);
  return {
    dialect,
    name: nameOf(block, dialect),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] as number),
    executable: (parseTarNumber(block.subarray(100, 108), 'mode') & 0o100) !== 0,
    sizeBytes: parseTarSize(block.subarray(124, 136), 'size'),
    modifiedSeconds: parseTime(block.subarray(136, 148)),
    linkName: textField(block, 157, 100),
  };
}

/** The number in a field that may not be negative. Throws `CastoreError` (`invalid-archive`). */
export function parseTarSize(field: Uint8Array, what: string): number {
  const value = parseTarNumber(field, what);
  if (value < 0) throw invalid(`the ${what} in a tar header is negative`);
  return value;
}

/** Nobody relies on it so much that an archive should be refused for it. */
function parseTime(field: Uint8Array): number | undefined {
  try {
    return parseTarNumber(field, 'time');
  } catch (error) {
    if (error instanceof CastoreError) return undefined;
    throw error;
  }
}

function parseTarNumber(field: Uint8Array, what: string): number {
  return ((field[0] as number) & 0x80) === 0 ? parseOctal(field, what) : parseBase256(field, what);
}

function parseOctal(field: Uint8Array, what: string): number {
  let position = 0;
  while (field[position] === 0x20) position++;
  let value = 0;
  for (; position < field.length; position++) {
    const digit = (field[position] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; position < field.length && field[position] !== 0; position++) {
    if (field[position] !== 0x20) throw invalid(`the ${what} in a tar header is not an octal number`);
  }
  return value;
}

function parseBase256(field: Uint8Array, what: string): number {
  const first = field[0] as number;
  let value = (first & 0x40) === 0 ? first & 0x3f : (first & 0x7f) - 0x80;
  for (let position = 1; position < field.length; position++) {
    value = value * 256 + (field[position] as number);
    if (!Number.isSafeInteger(value)) throw invalid(`the ${what} in a tar header is out of range`);
  }
  return value;
}

function checkSum(block: Uint8Array): void {
  const stored = parseTarNumber(block.subarray(148, 156), 'checksum');
  let unsigned = 8 * 0x20;
  for (let position = 0; position < 148; position++) unsigned += block[position] as number;
  for (let position = 156; position < blockSize; position++) unsigned += block[position] as number;
  if (stored !== unsigned && stored !== unsigned - 256 * highBytes(block)) {
    throw invalid('a tar header has a wrong checksum: this is not a tar archive, or it is damaged');
  }
}

/** How many bytes are negative when they are taken as signed. */
function highBytes(block: Uint8Array): number {
  let count = 0;
  for (let position = 0; position < blockSize; position++) {
    if ((position < 148 || position >= 156) && (block[position] as number) >= 0x80) count++;
  }
  return count;
}

function dialectOf(block: Uint8Array): TarDialect {
  const isUstar = [0x75, 0x73, 0x74, 0x61, 0x72].every((byte, index) => block[257 + index] === byte);
  if (!isUstar) return 'v7';
  return block[262] === 0x20 && block[263] === 0x20 ? 'gnu' : 'ustar';
}

function nameOf(block: Uint8Array, dialect: TarDialect): Uint8Array {
  const name = textField(block, 0, 100);
  if (dialect !== 'ustar' || block[345] === 0) return name;
  // Schily's tar, which signs at the end of the block, keeps times behind a shorter prefix.
  const isStar = block[508] === 0x74 && block[509] === 0x61 && block[510] === 0x72 && block[511] === 0;
  return concatBytes([textField(block, 345, isStar ? 131 : 155), slash, name]);
}

/** Up to the first NUL; a copy, since the block belongs to a chunk that should not be kept. */
function textField(block: Uint8Array, offset: number, length: number): Uint8Array {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.slice(0, end === -1 ? length : end);
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-archive', message);
}
