/**
 * The compressions that Nix knows by name, and what the name of a compressed NAR ends with. A narinfo says how its NAR
 * is compressed, so the ending is for people: Nix itself has one only for `br`, `bzip2`, `lz4`, `lzip`, `xz` and `zstd`,
 * the others are those of the programs.
 */
export const compressionExtensions = {
  none: '',
  br: '.br',
  bzip2: '.bz2',
  compress: '.Z',
  grzip: '.grz',
  gzip: '.gz',
  lrzip: '.lrz',
  lz4: '.lz4',
  lzip: '.lzip',
  lzma: '.lzma',
  lzop: '.lzo',
  xz: '.xz',
  zstd: '.zst',
} as const;

export type Compression = keyof typeof compressionExtensions;

export function isCompression(name: string): name is Compression {
  return Object.hasOwn(compressionExtensions, name);
}
