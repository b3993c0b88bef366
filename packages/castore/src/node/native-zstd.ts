/**
 * zstd of node:zlib, which Node has since 22.15 and its types for Node 20 do not mention; undefined where it is not.
 */
import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

const parameters = { level: 100, checksum: 201 };

type OneShot = (
  bytes: Uint8Array,
  options: object,
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

type ZstdFunctions = {
  createZstdCompress(options: object): Transform;
  createZstdDecompress(options: object): Transform;
  readonly zstdCompress: OneShot;
  readonly zstdDecompress: OneShot;
};

export type NativeZstd = {
  compressor(level: number): Transform;
  decompressor(): Transform;
  compress(bytes: Uint8Array, level: number): Promise<Uint8Array>;
  /** Rejects with a `RangeError` of code `ERR_BUFFER_TOO_LARGE` if there are more than `maxLength` bytes. */
  decompress(bytes: Uint8Array, maxLength: number): Promise<Uint8Array>;
};

const chunkSize = 1 << 17;

let bound: NativeZstd | undefined;

export function nativeZstd(): NativeZstd | undefined {
  if (bound === undefined && 'createZstdCompress' in zlib) bound = bind(zlib);
  return bound;
}

function bind(module: object): NativeZstd {
  // A newer Node than its types; the presence of one function has been looked at, and they came together.
  const functions = module as ZstdFunctions;
  const compress = promisify(functions.zstdCompress);
  const decompress = promisify(functions.zstdDecompress);
  return {
    compressor: (level) =>
      functions.createZstdCompress({
        chunkSize,
        params: { [parameters.level]: level, [parameters.checksum]: 1 },
      }),
    decompressor: () => functions.createZstdDecompress({ chunkSize }),
    compress: (bytes, level) => compress(bytes, { params: { [parameters.level]: level } }),
    decompress: (bytes, maxLength) => decompress(bytes, { maxOutputLength: Math.max(maxLength, 1) }),
  };
}
