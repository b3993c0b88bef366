/**
 * The file of an entry in the image folder: a head that says what the payload is, and the payload. Little-endian.
 *
 *      0  "NeveImg1"
 *      8  u32 × 3   bytes of key, info and reads
 *     20  u32       1: the payload has a checksum
 *     24  f64       bytes of the payload
 *     32  u32 × 2   checksum of the payload
 *     40  u32 × 2   checksum of the head without the reads, which have one of their own; made while this is 0
 *     48  zeros
 *     64  key (UTF-8) | info (JSON) | reads (`read-set.ts`)
 *         zeros up to a multiple of 4096; without a payload there are none
 *         payload
 *
 * The file is exactly as long as its head says. Key and info are for whoever put the entry; nothing here knows them.
 */
import { decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { type Checksum, checksum } from './checksum.ts';

/** Changes with the format: names of files have it, so that no version reads another one's. */
export const imageFileVersion = 2;

export const imageHeaderBytes = 64;
const payloadAlignment = 4096;
const magic = encodeUtf8('NeveImg1');

export type ImageHead = {
  readonly key: string;
  /** Anything that JSON can say. */
  readonly info: unknown;
  readonly reads: Uint8Array;
  readonly payloadBytes: number;
  /** Without it the payload is taken as it is. */
  readonly payloadChecksum: Checksum | undefined;
};

/** How long the head is without its zeros, from its first 64 bytes; undefined when they are none of a head. */
export function headBytes(header: Uint8Array): number | undefined {
  if (header.length < imageHeaderBytes || !equalBytes(header.subarray(0, 8), magic)) return undefined;
  const view = viewOf(header);
  return imageHeaderBytes + view.getUint32(8, true) + view.getUint32(12, true) + view.getUint32(16, true);
}

/** Where the payload begins in a file whose head has so many bytes. */
export function payloadStart(head: number, payloadBytes: number): number {
  return payloadBytes === 0 ? head : Math.ceil(head / payloadAlignment) * payloadAlignment;
}

export function encodeHead(head: ImageHead): Uint8Array {
  const parts = [encodeUtf8(head.key), encodeUtf8(JSON.stringify(head.info)), head.reads];
  const length = parts.reduce((sum, part) => sum + part.length, imageHeaderBytes);
  const bytes = new Uint8Array(payloadStart(length, head.payloadBytes));
  bytes.set(magic);
  const view = viewOf(bytes);
  let at = imageHeaderBytes;
  for (const [index, part] of parts.entries()) {
    view.setUint32(8 + index * 4, part.length, true);
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(20, head.payloadChecksum === undefined ? 0 : 1, true);
  view.setFloat64(24, head.payloadBytes, true);
  setChecksum(view, 32, head.payloadChecksum ?? [0, 0]);
  setChecksum(view, 40, checksum(bytes.subarray(0, length - head.reads.length)));
  return bytes;
}

/** Undefined when the bytes, as many as `headBytes` says, are no undamaged head. The reads are a part of the bytes. */
export function decodeHead(bytes: Uint8Array): ImageHead | undefined {
  const length = headBytes(bytes);
  if (length === undefined || length !== bytes.length) return undefined;
  const keyEnd = imageHeaderBytes + viewOf(bytes).getUint32(8, true);
  const infoEnd = keyEnd + viewOf(bytes).getUint32(12, true);
  const copy = Uint8Array.from(bytes.subarray(0, infoEnd));
  const view = viewOf(copy);
  const [low, high] = checksumAt(view, 40);
  setChecksum(view, 40, [0, 0]);
  const [foundLow, foundHigh] = checksum(copy);
  if (low !== foundLow || high !== foundHigh) return undefined;
  return {
    key: decodeUtf8(copy.subarray(imageHeaderBytes, keyEnd)),
    info: JSON.parse(decodeUtf8(copy.subarray(keyEnd))) as unknown,
    reads: bytes.subarray(infoEnd),
    payloadBytes: view.getFloat64(24, true),
    payloadChecksum: view.getUint32(20, true) === 0 ? undefined : checksumAt(view, 32),
  };
}

function checksumAt(view: DataView, at: number): Checksum {
  return [view.getUint32(at, true), view.getUint32(at + 4, true)];
}

// oxlint-disable-next-line eslint/max-params -- as the setters of a view
function setChecksum(view: DataView, at: number, [low, high]: Checksum): void {
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
