import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlobChunkBuffer, blobChunkCodec, blobChunkSize, releaseBlobChunk } from './blob-chunk.ts';
import { BlobChunkSchema } from './generated/snix/castore/v1/rpc_blobstore_pb.ts';

const sizes = [0, 1, 127, 128, 16_383, 16_384, 65_535, 65_536, blobChunkSize, blobChunkSize + 1, 2_097_152];

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index * 31);
}

test.each(sizes)('%i bytes are written as protobuf does, and read', (length) => {
  const data = bytes(length);
  const expected = toBinary(BlobChunkSchema, create(BlobChunkSchema, { data }));
  const encoded = blobChunkCodec.encode(data);
  expect(Buffer.compare(encoded, expected)).toBe(0);
  expect(Buffer.compare(blobChunkCodec.decode(encoded), data)).toBe(0);
  releaseBlobChunk(encoded);
});

test('contents of any pieces are those that protobuf reads', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (pieces) => {
      const data = Buffer.concat(pieces);
      const buffer = new BlobChunkBuffer(data.length);
      for (const piece of pieces) expect(buffer.append(piece)).toBe(piece.length);
      expect(buffer.isFull).toBe(true);
      expect(Buffer.compare(fromBinary(BlobChunkSchema, buffer.finish()).data, data)).toBe(0);
    }),
  );
});

test('unusual messages are read as protobuf reads them', () => {
  // A field that nobody knows, and one that comes twice: the last one counts.
  expect(blobChunkCodec.decode(Uint8Array.of(0x10, 5, 0x0a, 1, 7))).toEqual(Uint8Array.of(7));
  expect(blobChunkCodec.decode(Uint8Array.of(0x0a, 1, 6, 0x0a, 1, 7))).toEqual(Uint8Array.of(7));
  expect(() => blobChunkCodec.decode(Uint8Array.of(0x0a, 2, 7))).toThrow();
});

test('a buffer takes no more than it was made for, pooled or not', () => {
  releaseBlobChunk(blobChunkCodec.encode(bytes(blobChunkSize)));
  const buffer = new BlobChunkBuffer(100_000);
  expect(buffer.append(bytes(200_000))).toBe(100_000);
  expect(blobChunkCodec.decode(buffer.finish())).toHaveLength(100_000);
});
