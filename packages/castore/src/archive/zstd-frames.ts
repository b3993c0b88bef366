/**
 * The outer shape of zstd streams: frames, blocks, checksums, without decoding what is in them.
 *
 *     stream    = (frame | skippable)*
 *     frame     = 28 B5 2F FD descriptor:1 [window:1] [dictionary:0,1,2,4] [size:0,1,2,4,8] block+ [checksum:4]
 *     block     = header:3 (bit 0 last, bits 1-2 type, the rest size) contents
 *     skippable = 50..5F 2A 4D 18 length:4 contents
 *
 * It bounds what a decoder will be asked to do before it is asked. Source: RFC 8878.
 */
import { concatBytes } from '@neve/bytes';
import type { ByteSource } from './byte-source.ts';

/** The window that the zstd program takes without being told to. */
const maxWindowBytes = 2 ** 27;
export const maxZstdBlockBytes: number = 2 ** 17;

/** `head` comes once a frame, `block` with its own header, `last` with the checksum behind it if there is one. */
export type ZstdPiece = { readonly kind: 'head' | 'block' | 'last'; readonly bytes: Uint8Array };

/**
 * The frames of a stream, piece by piece, each small. Skippable frames are left out. Throws a plain `Error` whose
 * message fits behind "damaged: ".
 */
export async function* readZstdPieces(input: ByteSource): AsyncGenerator<ZstdPiece, void, void> {
  for (;;) {
    const magic = await input.read(4);
    if (magic.length === 0) return;
    if (isSkippable(magic)) {
      const length = new DataView((await exactly(input, 4)).buffer).getUint32(0, true);
      if (!(await input.skip(length))) throw cutOff();
      continue;
    }
    if (!isFrame(magic)) throw new Error('something else stands where a frame should begin');
    const descriptor = (await exactly(input, 1))[0] as number;
    const rest = await exactly(input, headerLength(descriptor));
    checkHeader(descriptor, rest);
    yield { kind: 'head', bytes: concatBytes([magic, Uint8Array.of(descriptor), rest]) };
    yield* readBlocks(input, (descriptor & 4) === 0 ? 0 : 4);
  }
}

async function* readBlocks(input: ByteSource, checksumLength: number): AsyncGenerator<ZstdPiece, void, void> {
  for (;;) {
    const header = await exactly(input, 3);
    const { isLast, storedBytes } = parseBlockHeader(header);
    const contents = await exactly(input, storedBytes);
    if (!isLast) yield { kind: 'block', bytes: concatBytes([header, contents]) };
    else {
      yield { kind: 'last', bytes: concatBytes([header, contents, await exactly(input, checksumLength)]) };
      return;
    }
  }
}

/**
 * No decoder makes more than this of a whole stream; undefined if the stream is no zstd. Each compressed block counts
 * as much as it could be at most, so this may be far more than what is in it.
 */
export function zstdOutputBound(bytes: Uint8Array): number | undefined {
  let total = 0;
  let position = 0;
  while (position < bytes.length) {
    const magic = bytes.subarray(position, position + 4);
    if (isSkippable(magic)) {
      if (position + 8 > bytes.length) return undefined;
      position += 8 + new DataView(bytes.buffer, bytes.byteOffset + position + 4, 4).getUint32(0, true);
      continue;
    }
    const descriptor = bytes[position + 4];
    if (!isFrame(magic) || descriptor === undefined) return undefined;
    position += 5 + headerLength(descriptor);
    for (let isLast = false; !isLast;) {
      const header = bytes.subarray(position, position + 3);
      if (header.length < 3) return undefined;
      const block = parseBlockHeader(header);
      isLast = block.isLast;
      position += 3 + block.storedBytes;
      total += block.maxBytes;
    }
    if ((descriptor & 4) !== 0) position += 4;
  }
  return position === bytes.length ? total : undefined;
}

function isFrame(magic: Uint8Array): boolean {
  return magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd;
}

function isSkippable(magic: Uint8Array): boolean {
  return ((magic[0] ?? 0) & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
}

/** Of what follows the descriptor. */
function headerLength(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeLength = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  return (singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number) + sizeLength;
}

function checkHeader(descriptor: number, rest: Uint8Array): void {
  if ((descriptor & 8) !== 0) throw new Error('a reserved bit is set in a frame');
  if ((descriptor & 3) !== 0) throw new Error('a frame needs a dictionary');
  if (windowBytes(descriptor, rest) > maxWindowBytes) {
    throw new Error(`a frame needs a window of more than ${maxWindowBytes} bytes`);
  }
}

/** Without a dictionary. */
function windowBytes(descriptor: number, rest: Uint8Array): number {
  if ((descriptor & 0x20) === 0) {
    const window = rest[0] as number;
    return 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8);
  }
  let size = 0;
  for (let index = rest.length - 1; index >= 0; index--) size = size * 256 + (rest[index] as number);
  return descriptor >>> 6 === 1 ? size + 256 : size;
}

function parseBlockHeader(header: Uint8Array): {
  readonly isLast: boolean;
  readonly storedBytes: number;
  readonly maxBytes: number;
} {
  const bits = (header[0] as number) | ((header[1] as number) << 8) | ((header[2] as number) << 16);
  const size = bits >>> 3;
  const type = (bits >>> 1) & 3;
  if (type === 3 || size > maxZstdBlockBytes)
    throw new Error('a block is of a kind or size that is not allowed');
  const isLast = (bits & 1) !== 0;
  if (type === 0) return { isLast, storedBytes: size, maxBytes: size };
  if (type === 1) return { isLast, storedBytes: 1, maxBytes: size };
  return { isLast, storedBytes: size, maxBytes: maxZstdBlockBytes };
}

/** A copy, so that its buffer holds nothing else. */
async function exactly(input: ByteSource, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await input.read(length);
  if (bytes.length < length) throw cutOff();
  return bytes.slice();
}

function cutOff(): Error {
  return new Error('it ends in the middle of a frame');
}
