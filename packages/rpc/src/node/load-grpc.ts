/** grpc-js, loaded when it is first needed, and the settings that both ends share. */
import type * as Grpc from '@grpc/grpc-js';

export type GrpcModule = (typeof Grpc)['default'];

/**
 * The longest message that is taken. Directories of packages with very many files have some MiB; grpc-js itself would stop
 * at 4.
 */
export const maxMessageSize: number = 64 * 1024 * 1024;

/** How many bytes of one stream, and of one connection, may be on their way. HTTP/2 begins with 64 KiB. */
export const flowControlWindow: number = 8 * 1024 * 1024;

export const sharedOptions: Grpc.ChannelOptions = {
  'grpc.max_receive_message_length': maxMessageSize,
  'grpc.max_send_message_length': maxMessageSize,
  'grpc-node.flow_control_window': flowControlWindow,
  // Its retries keep what was sent; calls that may be repeated are repeated by `GrpcChannel`.
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
};

export async function loadGrpc(): Promise<GrpcModule> {
  // By its default, since a bundler does not know the names that a CommonJS module exports.
  const { default: grpc } = await import('@grpc/grpc-js');
  // It would print what it also throws.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE);
  return grpc;
}

/** For grpc-js, messages are bytes. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The same bytes. What is given out is no `Buffer`, whose `slice` does not copy. */
export function fromBuffer(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
