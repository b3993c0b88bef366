/**
 * How messages become bytes. Those whose bytes mean something (directories, path infos) pass as they are and are read by
 * the codecs of their packages; the contents of blobs have a codec of their own for speed (`blob-chunk.ts`); all others
 * go through the generated schemas.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** `Out` is what can be written, `In` is what is read. */
export interface Codec<Out, In> {
  encode(message: Out): Uint8Array;
  /** Takes back what `encode` gave, when nobody will look at it any more. */
  release?(encoded: Uint8Array): void;
  /** Throws for bytes that are no such message. The bytes do not change afterwards. */
  decode(bytes: Uint8Array): In;
}

export function messageCodec<D extends DescMessage>(schema: D): Codec<MessageInitShape<D>, MessageShape<D>> {
  return {
    encode: (message) => toBinary(schema, create(schema, message)),
    decode: (bytes) => fromBinary(schema, bytes, { readUnknownFields: false }),
  };
}

export type MessageLimits = { readonly maxBytes: number; readonly maxFields: number };

/** Refuses longer messages, and those with more fields, before it makes objects of them. */
export function boundedCodec<D extends DescMessage>(
  schema: D,
  limits: MessageLimits,
): Codec<MessageInitShape<D>, MessageShape<D>> {
  const codec = messageCodec(schema);
  return {
    encode: (message) => codec.encode(message),
    decode: (bytes) => {
      if (bytes.length > limits.maxBytes) {
        throw new RangeError(`the message has ${bytes.length} bytes, more than ${limits.maxBytes}`);
      }
      const reader = new BinaryReader(bytes);
      for (let fields = 0; reader.pos < reader.len; fields++) {
        if (fields === limits.maxFields) throw new RangeError(`the message has more than ${fields} fields`);
        const [number, type] = reader.tag();
        reader.skip(type, number);
      }
      return codec.decode(bytes);
    },
  };
}

/** For messages that are encoded and decoded by whoever calls. */
export const rawCodec: Codec<Uint8Array, Uint8Array> = {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};
