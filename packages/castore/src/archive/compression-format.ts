/**
 * The compressions of archives and NARs, and how their streams begin. brotli has no mark and is known only by name.
 */
export type CompressionFormat =
  | 'none'
  | 'gzip'
  | 'bzip2'
  | 'xz'
  | 'zstd'
  | 'brotli'
  | 'lz4'
  | 'lzip'
  | 'lzma'
  | 'compress'
  | 'lzop'
  | 'grzip'
  | 'lrzip';

/** So many bytes of the beginning are enough for `detectCompression`. */
export const detectionLength = 10;

/** By the first bytes of a stream; `none` if they are those of no compression. */
export function detectCompression(start: Uint8Array): CompressionFormat {
  const begins = (...bytes: readonly number[]): boolean =>
    bytes.every((byte, index) => start[index] === byte);
  if (begins(0x1f, 0x8b, 0x08)) return 'gzip';
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (begins(0x04, 0x22, 0x4d, 0x18)) return 'lz4';
  if (begins(0x4c, 0x5a, 0x49, 0x50, 0x01)) return 'lzip';
  if (begins(0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a)) return 'lzop';
  if (begins(0x4c, 0x52, 0x5a, 0x49, 0x00)) return 'lrzip';
  if (begins(0x47, 0x52, 0x5a, 0x69, 0x70, 0x49, 0x49, 0x00)) return 'grzip';
  if (isLzw(start)) return 'compress';
  // The usual properties, and a size that is not known: all that compressors write.
  if (begins(0x5d, 0x00, 0x00) && start.subarray(5, 10).every((byte) => byte === 0xff)) return 'lzma';
  // A frame to be skipped, which pzstd begins with.
  if (begins((start[0] ?? 0) | 0x50, 0x2a, 0x4d, 0x18) && ((start[0] ?? 0) & 0xf0) === 0x50) return 'zstd';
  return isBzip2(start) ? 'bzip2' : 'none';
}

/** Codes have 9 to 16 bits, and two flags are never set. */
function isLzw(start: Uint8Array): boolean {
  const flags = start[2] ?? 0;
  const bits = flags & 0x1f;
  return start[0] === 0x1f && start[1] === 0x9d && (flags & 0x60) === 0 && bits >= 9 && bits <= 16;
}

/** `BZh`, the size of blocks as a digit, and the mark of a block or, in an empty stream, of the end. */
function isBzip2(start: Uint8Array): boolean {
  const digit = (start[3] ?? 0) - 0x30;
  if (start[0] !== 0x42 || start[1] !== 0x5a || start[2] !== 0x68 || digit < 1 || digit > 9) return false;
  const marks = [
    [0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
    [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
  ];
  return marks.some((mark) => mark.every((byte, index) => start[4 + index] === byte));
}
