/** The content encodings of texts, each at a level that is quick: a text is encoded while somebody waits. */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { zstdCompress } from '@neve/castore/node';
import type { ContentEncoders } from '../encoded-text.ts';

const gzipBytes = promisify(gzip);
const brotliBytes = promisify<Uint8Array, object, Uint8Array>(brotliCompress);

export const nodeContentEncoders: ContentEncoders = {
  zstd: async (bytes) => zstdCompress(bytes, 3),
  br: (bytes) => brotliBytes(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: async (bytes) => gzipBytes(bytes),
};
