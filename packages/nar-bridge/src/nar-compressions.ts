/** How NARs are compressed and decompressed, and how the files of compressed ones are named. */
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

/** In the order of their names. */
export const compressionNames: readonly Compression[] = (
  Object.keys(compressionExtensions) as Compression[]
).sort();

/** By the last part of a file's name, as `.xz`. Nothing for one that no compression has. */
export function compressionOfExtension(extension: string): Compression | undefined {
  return compressionNames.find((it) => compressionExtensions[it] === extension);
}
