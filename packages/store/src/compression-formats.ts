/** The names that Nix and HTTP have for the compressions which castore reads and writes. Nix has one for each. */
import type { CompressionFormat } from '@neve/castore';
import type { Compression } from '@neve/nix-compat';

/** What a narinfo calls a compression. */
export const compressionFormats: Readonly<Record<Compression, CompressionFormat>> = {
  none: 'none',
  br: 'brotli',
  bzip2: 'bzip2',
  compress: 'compress',
  grzip: 'grzip',
  gzip: 'gzip',
  lrzip: 'lrzip',
  lz4: 'lz4',
  lzip: 'lzip',
  lzma: 'lzma',
  lzop: 'lzop',
  xz: 'xz',
  zstd: 'zstd',
};

export function compressionOfFormat(format: CompressionFormat): Compression {
  return format === 'brotli' ? 'br' : format;
}

const encodings: Readonly<Record<string, CompressionFormat>> = {
  identity: 'none',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  compress: 'compress',
  'x-compress': 'compress',
  br: 'brotli',
  zstd: 'zstd',
  xz: 'xz',
  bzip2: 'bzip2',
};

/** The values of `Content-Encoding` that are understood: those of HTTP, and what Nix stores files of a cache with. */
export const contentEncodings: readonly string[] = Object.keys(encodings);

/** How a body is encoded; without the header, not at all. Nothing for what is not known here. */
export function formatOfEncoding(contentEncoding: string | undefined): CompressionFormat | undefined {
  const encoding = contentEncoding?.trim().toLowerCase() || 'identity';
  return Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
}
