/** A call of a gRPC service: where it is, which sides stream, and how its messages become bytes. */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Codec } from './codec.ts';

/** `Request` and `Answer` are codecs. */
export type Method<Request extends AnyCodec, Answer extends AnyCodec> = {
  /** The full name of the service, `snix.castore.v1.BlobService`. */
  readonly service: string;
  readonly name: string;
  readonly streams: { readonly request: boolean; readonly answer: boolean };
  readonly request: Request;
  readonly answer: Answer;
};

// oxlint-disable-next-line typescript/no-explicit-any -- the bound of any codec: nothing is called through it
export type AnyCodec = Codec<any, any>;
export type AnyMethod = Method<AnyCodec, AnyCodec>;

/** What can be written with a codec, and what is read. */
export type Written<C extends AnyCodec> = C extends Codec<infer Out, unknown> ? Out : never;
export type Read<C extends AnyCodec> = C extends Codec<never, infer In> ? In : never;

export type MessageCodec<D extends DescMessage> = Codec<MessageInitShape<D>, MessageShape<D>>;

/** As HTTP/2 has it: `/snix.castore.v1.BlobService/Stat`. */
export function pathOf({ service, name }: AnyMethod): string {
  return `/${service}/${name}`;
}
