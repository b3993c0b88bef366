/**
 * One call of gRPC over a Unix socket without `node:http2`, which takes longer to load than everything else that a client of
 * the daemon does. It cannot tell why a call was refused, which `lightCall` can.
 */
import { connect } from 'node:net';
import {
  FrameReader,
  answerTo,
  dataFrames,
  dataOf,
  frameTypes,
  isEnd,
  openingFrames,
} from '../http2-frames.ts';
import { MessageReader, framed } from '../message-framing.ts';
import { RpcError } from '../rpc-error.ts';

/** What a server takes before it says how much it takes. */
export const maxQuickBytes: number = 60_000;

export interface QuickCall {
  /** All messages together have `maxQuickBytes` at most. */
  send(message: Uint8Array): void;
  /** Fulfilled when the server has ended the call, in whatever way. Throws `RpcError` (`unavailable`). */
  readonly ended: Promise<void>;
  close(): void;
}

export type QuickCallOptions = {
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onMessage: (message: Uint8Array) => void;
};

export function quickCall(path: string, { method, metadata, onMessage }: QuickCallOptions): QuickCall {
  const socket = connect(path);
  socket.write(openingFrames(method, metadata));
  const messages = new MessageReader(onMessage);
  const ended = new Promise<void>((resolve, reject) => {
    const frames = new FrameReader((frame) => {
      const answer = answerTo(frame);
      if (answer !== undefined) socket.write(answer);
      if (frame.type === frameTypes.data) messages.take(dataOf(frame));
      if (isEnd(frame)) resolve();
    });
    const unavailable = (message: string, cause?: unknown): void =>
      reject(new RpcError('unavailable', message, { cause }));
    socket.on('data', (bytes) => {
      try {
        frames.take(bytes);
      } catch (cause) {
        unavailable(cause instanceof Error ? cause.message : String(cause), cause);
      }
    });
    socket.on('error', (error) => unavailable(error.message, error));
    socket.on('end', () => unavailable('the connection ended'));
    socket.on('close', () => unavailable('the connection ended'));
  }).finally(() => socket.destroy());
  ended.catch(() => undefined);
  return {
    send: (message) => void socket.write(dataFrames(framed(message))),
    ended,
    close: () => void socket.destroy(),
  };
}
