/**
 * The message `BlobChunk`, by hand, because all contents of blobs pass through it: `data` is field 1, so that the message
 * is one byte of key, the length as a varint, and the contents.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { BlobChunkSchema } from './generated/snix/castore/v1/rpc_blobstore_pb.ts';
import type { Codec } from './codec.ts';

/**
 * How many bytes of a blob one message carries at most. Peers take 4 MiB unless they are told otherwise; up to 1 MiB larger
 * messages are cheaper.
 */
export const blobChunkSize: number = 512 * 1024;

/** Bytes before the contents: a key and a varint below 2^28. */
const maxHeadLength = 5;
const dataKey = 0x0a;

/**
 * Buffers of messages that are out, for the next ones: to allocate as much memory as passes through costs more than to
 * copy it.
 */
const idle: Uint8Array[] = [];
const maxIdle = 8;

/** The contents are copied when writing, and a view of the message when reading. */
export const blobChunkCodec: Codec<Uint8Array, Uint8Array> = {
  encode(data) {
    const message = new BlobChunkBuffer(data.length);
    message.append(data);
    return message.finish();
  },
  release: releaseBlobChunk,
  decode: (bytes) => dataOf(bytes) ?? fromBinary(BlobChunkSchema, bytes).data,
};

/** Takes back a message that is out. */
export function releaseBlobChunk(message: Uint8Array): void {
  const isFull = message.buffer.byteLength === maxHeadLength + blobChunkSize;
  if (isFull && idle.length < maxIdle) idle.push(new Uint8Array(message.buffer));
}

/** A message that is filled bit by bit, for up to `capacity` bytes of contents. */
export class BlobChunkBuffer {
  readonly #bytes: Uint8Array;
  readonly #capacityEnd: number;
  #end = maxHeadLength;

  constructor(capacity: number) {
    const isPooled = capacity >= blobChunkSize / 8 && capacity <= blobChunkSize;
    const pooled = isPooled ? idle.pop() : undefined;
    this.#bytes = pooled ?? new Uint8Array(maxHeadLength + (isPooled ? blobChunkSize : capacity));
    this.#capacityEnd = maxHeadLength + capacity;
  }

  get isFull(): boolean {
    return this.#end === this.#capacityEnd;
  }

  /** Takes as much as there is room for, and says how much. */
  append(data: Uint8Array): number {
    const taken = Math.min(data.length, this.#capacityEnd - this.#end);
    this.#bytes.set(taken === data.length ? data : data.subarray(0, taken), this.#end);
    this.#end += taken;
    return taken;
  }

  /** The message. The buffer must not be used again. */
  finish(): Uint8Array {
    const head = headOf(this.#end - maxHeadLength);
    this.#bytes.set(head, maxHeadLength - head.length);
    return this.#bytes.subarray(maxHeadLength - head.length, this.#end);
  }
}

/** An empty message has no field at all. */
function headOf(length: number): readonly number[] {
  if (length === 0) return [];
  const head = [dataKey];
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return head;
}

/** The contents of a message in the usual form; `undefined` for any other. */
function dataOf(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 0) return bytes;
  if (bytes[0] !== dataKey) return undefined;
  let length = 0;
  for (let at = 1; at < maxHeadLength; at++) {
    const byte = bytes[at] ?? 0;
    length |= (byte & 0x7f) << (7 * (at - 1));
    if (byte < 0x80) return at + 1 + length === bytes.length ? bytes.subarray(at + 1) : undefined;
  }
  return undefined;
}
