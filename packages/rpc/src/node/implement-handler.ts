/** A handler as grpc-js wants it: four kinds of functions on calls that are event emitters. */
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Handler } from '../handler.ts';
import { pathOf, type AnyCodec } from '../method.ts';
import { RpcError } from '../rpc-error.ts';
import { isServerFailure, statusOfError } from '../status.ts';
import { BoundedWriter } from './bounded-writer.ts';
import { type ServedCall, serveCall } from './served-call.ts';
import { fromBuffer, toBuffer } from './load-grpc.ts';

type Call =
  | ServerUnaryCall<Buffer, Buffer>
  | ServerReadableStream<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

type Status = { readonly code: number; readonly details: string };

/** `onError` learns of failures of this side. */
export function implement(
  handler: Handler,
  onError: (error: unknown) => void,
): (call: Call, callback?: sendUnaryData<Buffer>) => void {
  return (call, callback) => {
    const controller = new AbortController();
    (call as NodeJS.EventEmitter).on('cancelled', () =>
      controller.abort(new RpcError('cancelled', 'the caller has gone')),
    );
    const header = (name: string): string | undefined => call.metadata.get(name)[0]?.toString();
    const served = serveCall(handler.method, header);
    const fail = (error: unknown): void => {
      if (isServerFailure(error) && !controller.signal.aborted) onError(error);
      const status = toStatus(error);
      served?.fail(error, status.code);
      if (callback === undefined) (call as ServerWritableStream<Buffer, Buffer>).emit('error', status);
      else callback(status);
    };
    const { signal } = controller;
    const run = async (): Promise<void> => {
      const answers = handler.run(requestsOf(handler.method.request, call, served), signal);
      const context = { answers, signal, served };
      await (callback === undefined
        ? sendAnswers(handler, call as ServerWritableStream<Buffer, Buffer>, context)
        : sendAnswer(handler, context, callback));
      served?.end();
    };
    (served === undefined ? run() : served.within(run)).catch(fail);
  };
}

// oxlint-disable-next-line eslint/max-params -- how they are read, where from, and who measures
async function* requestsOf(codec: AnyCodec, call: Call, served: ServedCall | undefined): AsyncGenerator {
  if ('request' in call) {
    served?.received(call.request.length);
    yield decode(codec, call.request);
    return;
  }
  // By itself, the iterator would end the side of the answers as well.
  const messages = (call as Readable).iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const message of messages) {
    served?.received(message.length);
    yield decode(codec, message);
  }
  // A stream whose caller has gone ends as one that is complete; that it was cancelled is known a moment later.
  await setImmediate();
  if (call.cancelled) throw new RpcError('cancelled', 'the caller has gone');
}

function decode(codec: AnyCodec, message: Buffer): unknown {
  try {
    return codec.decode(fromBuffer(message)) as unknown;
  } catch (cause) {
    throw new RpcError('invalid-argument', 'the request is no message of its kind', { cause });
  }
}

async function sendAnswer(
  { method }: Handler,
  { answers, served }: Answers,
  callback: sendUnaryData<Buffer>,
): Promise<void> {
  for await (const it of answers) {
    const message = toBuffer(method.answer.encode(it));
    served?.sent(message.length);
    callback(null, message);
    return;
  }
  throw new Error(`no answer to a call of ${pathOf(method)}`);
}

type Answers = {
  readonly answers: AsyncIterable<unknown>;
  readonly signal: AbortSignal;
  readonly served: ServedCall | undefined;
};

async function sendAnswers(
  { method }: Handler,
  call: ServerWritableStream<Buffer, Buffer>,
  { answers, signal, served }: Answers,
): Promise<void> {
  const writer = new BoundedWriter(call);
  signal.addEventListener('abort', () => writer.fail(signal.reason), { once: true });
  for await (const it of answers) {
    const message = method.answer.encode(it);
    served?.sent(message.length);
    await writer.write(toBuffer(message), () => method.answer.release?.(message));
  }
  call.end();
}

function toStatus(error: unknown): Error & Status {
  const status = statusOfError(error);
  return Object.assign(new Error(status.message), { code: status.statusNumber, details: status.message });
}
