/** Which compressions of NARs can be read and written here, and how their files are named. */
import type { CompressionFormat } from '@neve/castore';
import { type Compression, compressionExtensions } from '@neve/nix-compat';

/** Streams are as those of `decompress` and `compress` of `@neve/castore/node`. */
export type Decompress = (
  source: AsyncIterable<Uint8Array>,
  format: CompressionFormat | 'auto',
  options: { readonly maxBytes: number },
) => AsyncIterable<Uint8Array>;

export type Compress = (
  source: AsyncIterable<Uint8Array>,
  format: CompressionFormat,
  level?: number,
) => AsyncIterable<Uint8Array>;

const formats: Partial<Readonly<Record<Compression, CompressionFormat>>> = {
  none: 'none',
  br: 'brotli',
  bzip2: 'bzip2',
  gzip: 'gzip',
  lz4: 'lz4',
  lzip: 'lzip',
  lzma: 'lzma',
  xz: 'xz',
  zstd: 'zstd',
};

/** In the order of their names. */
export const readableCompressions: readonly Compression[] = (
  Object.keys(compressionExtensions) as Compression[]
)
  .filter((it) => formats[it] !== undefined)
  .sort();

/** Nothing for one that cannot be read here. */
export function formatOf(compression: Compression): CompressionFormat | undefined {
  return formats[compression];
}

/** By the last part of a file's name, as `.xz`. Nothing for one that no compression has. */
export function compressionOfExtension(extension: string): Compression | undefined {
  const names = Object.keys(compressionExtensions) as Compression[];
  return names.find((it) => compressionExtensions[it] === extension);
}

const nameOfFormat: Readonly<Record<CompressionFormat, Compression>> = {
  none: 'none',
  brotli: 'br',
  bzip2: 'bzip2',
  gzip: 'gzip',
  lz4: 'lz4',
  lzip: 'lzip',
  lzma: 'lzma',
  xz: 'xz',
  zstd: 'zstd',
};

export function compressionOfFormat(format: CompressionFormat): Compression {
  return nameOfFormat[format];
}

const encodings: Readonly<Record<string, CompressionFormat>> = {
  '': 'none',
  identity: 'none',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  br: 'brotli',
  zstd: 'zstd',
  xz: 'xz',
  bzip2: 'bzip2',
};

export const knownEncodings: readonly string[] = Object.keys(encodings).filter((it) => it !== '');

/** How a body is encoded (`narinfo-compression` and others of Nix do that). Nothing for what is not known here. */
export function requestEncoding(headers: {
  readonly 'content-encoding'?: string | undefined;
}): CompressionFormat | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  return Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
}
