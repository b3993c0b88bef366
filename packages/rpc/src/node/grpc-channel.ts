/**
 * A connection to a gRPC server, for the clients of this package. It is made when the first call needs it and made again
 * when it breaks; channels to one address share it.
 *
 * Every failed call throws `RpcError` with the status; a call whose signal is aborted throws the signal's reason. No call
 * waits for ever: each wait for a sign of the other side ends after `timeoutMs`. Calls that may be repeated are, when
 * nothing was received and the server is not available, up to four times with growing, random pauses.
 */
import { WeightedSemaphore } from '@neve/castore';
import type { Span } from '@neve/telemetry';
import type { Client, ClientReadableStream, ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import { parseGrpcAddress, type GrpcAddress } from '../grpc-address.ts';
import { pathOf, type AnyCodec, type AnyMethod, type Method, type Read, type Written } from '../method.ts';
import { RpcError, codeOfStatus } from '../rpc-error.ts';
import { BoundedWriter } from './bounded-writer.ts';
import { callMetadata, startCallSpan } from './call-span.ts';
import { fromBuffer, loadGrpc, sharedOptions, toBuffer, type GrpcModule } from './load-grpc.ts';

export type GrpcClientOptions = {
  /** How long the other side may be silent, in milliseconds. Five minutes. */
  readonly timeoutMs?: number;
  /** Certificates for `grpc+https:`, in PEM. Without `ca`, those that Node trusts. */
  readonly tls?: { readonly ca?: Uint8Array; readonly cert?: Uint8Array; readonly key?: Uint8Array };
};

/** `isEndless`: the answer may take as long as it likes. */
export type CallOptions = { readonly signal?: AbortSignal | undefined; readonly isEndless?: boolean };

const defaultTimeoutMs = 300_000;
const maxAttempts = 4;
const firstPauseMs = 100;

/** How many short calls are under way at once. A connection of Node with some thousands of them stands still. */
const maxShortCalls = 256;

export class GrpcChannel implements AsyncDisposable {
  readonly #client: Client;
  readonly #grpc: GrpcModule;
  readonly #timeoutMs: number;
  readonly #shortCalls = new WeightedSemaphore(maxShortCalls);

  constructor(grpc: GrpcModule, client: Client, timeoutMs: number = defaultTimeoutMs) {
    this.#grpc = grpc;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** `url` as in `grpc-address.ts`. Throws `RpcError`: `invalid-argument`, or `unavailable` with `wait-connect=1`. */
  static async open(url: string, options: GrpcClientOptions = {}): Promise<GrpcChannel> {
    const address = parseGrpcAddress(url);
    const grpc = await loadGrpc();
    const client = new grpc.Client(address.target, credentialsOf(grpc, address, options), sharedOptions);
    const channel = new GrpcChannel(grpc, client, options.timeoutMs);
    if (address.waitsForConnection) await channel.#waitForConnection(url);
    return channel;
  }

  /** One request, one answer. It is repeated when the server is not available, so it must not matter how often it runs. */
  async unary<Q extends AnyCodec, A extends AnyCodec>(
    method: Method<Q, A>,
    request: Written<Q>,
    { signal, isEndless = false }: CallOptions = {},
  ): Promise<Read<A>> {
    const message = toBuffer(method.request.encode(request));
    const span = startCallSpan(method);
    const release = isEndless ? undefined : await this.#shortCalls.acquire();
    try {
      const answer = await this.#repeating(signal, () =>
        this.#unaryOnce(method, message, { signal, isEndless, span }),
      );
      return decodeAnswer(method, answer);
    } catch (error) {
      span?.fail(error);
      throw error;
    } finally {
      release?.();
      span?.end();
    }
  }

  /** One request, any number of answers. It is repeated as `unary` as long as there was no answer. */
  async *download<Q extends AnyCodec, A extends AnyCodec>(
    method: Method<Q, A>,
    request: Written<Q>,
    { signal }: CallOptions = {},
  ): AsyncGenerator<Read<A>> {
    const message = toBuffer(method.request.encode(request));
    const span = startCallSpan(method);
    let rest: Begun['rest'] | undefined;
    try {
      const begun = await this.#repeating(signal, () => this.#begin(method, message, { signal, span }));
      ({ rest } = begun);
      for (let next = begun.first; next.done !== true; next = await rest.next()) {
        yield decodeAnswer(method, next.value);
      }
    } catch (error) {
      span?.fail(error);
      throw error;
    } finally {
      await rest?.return(undefined);
      span?.end();
    }
  }

  /** As `download`, for answers that are few and wanted at once. */
  async downloadAll<Q extends AnyCodec, A extends AnyCodec>(
    method: Method<Q, A>,
    request: Written<Q>,
    options: CallOptions = {},
  ): Promise<Read<A>[]> {
    const release = await this.#shortCalls.acquire();
    try {
      const answers: Read<A>[] = [];
      for await (const answer of this.download(method, request, options)) answers.push(answer);
      return answers;
    } finally {
      release();
    }
  }

  /** Any number of requests, one answer. */
  upload<Q extends AnyCodec, A extends AnyCodec>(
    method: Method<Q, A>,
    { signal }: CallOptions = {},
  ): Upload<Written<Q>, Read<A>> {
    signal?.throwIfAborted();
    return new Upload(this.#client, method, { grpc: this.#grpc, timeoutMs: this.#timeoutMs, signal });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #unaryOnce(method: AnyMethod, message: Buffer, options: Attempt): Promise<Buffer> {
    const { signal, isEndless, span } = options;
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, value?: Buffer): void => {
        signal?.removeEventListener('abort', cancel);
        if (value !== undefined && error === null) resolve(value);
        else reject(failureOf(error, signal));
      };
      const deadline = isEndless === true ? {} : { deadline: Date.now() + this.#timeoutMs };
      const call = this.#client.makeUnaryRequest(
        pathOf(method),
        same,
        same,
        message,
        callMetadata(this.#grpc, span),
        deadline,
        done,
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  async #begin(method: AnyMethod, message: Buffer, { signal, span }: Attempt): Promise<Begun> {
    const call = this.#client.makeServerStreamRequest<Buffer, Buffer>(
      pathOf(method),
      same,
      same,
      message,
      callMetadata(this.#grpc, span),
    );
    const rest = this.#messagesOf(call, signal);
    return { first: await rest.next(), rest };
  }

  async *#messagesOf(
    call: ClientReadableStream<Buffer>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer, undefined> {
    const cancel = (): void => call.cancel();
    // A call that is cancelled ends with an error after nobody listens any more.
    call.on('error', ignore);
    signal?.addEventListener('abort', cancel, { once: true });
    const silence = new Silence(this.#timeoutMs, cancel);
    try {
      silence.begin();
      for await (const message of call as AsyncIterable<Buffer>) {
        silence.end();
        yield message;
        silence.begin();
      }
    } catch (error) {
      throw silence.isTooLong ? tooLong(this.#timeoutMs) : failureOf(error as ServiceError, signal);
    } finally {
      silence.end();
      signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
    return undefined;
  }

  async #repeating<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        return await attempt();
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== 'unavailable' || attempts === maxAttempts) {
          throw error;
        }
      }
      // oxlint-disable-next-line no-await-in-loop -- a pause between two attempts
      await pause(firstPauseMs * 2 ** (attempts - 1) * (0.5 + Math.random()), signal);
    }
  }

  #waitForConnection(url: string): Promise<void> {
    const deadline = Date.now() + Math.min(this.#timeoutMs, 10_000);
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(deadline, (error) => {
        if (error === undefined) return resolve();
        this.#client.close();
        reject(new RpcError('unavailable', `nobody answers at ${url}: is the server running?`));
      });
    });
  }
}

type Attempt = CallOptions & { readonly span: Span | undefined };

type Begun = {
  readonly first: IteratorResult<Buffer, undefined>;
  readonly rest: AsyncGenerator<Buffer, undefined>;
};

type UploadContext = {
  readonly grpc: GrpcModule;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
};

/**
 * What ends an upload that is given up: no message of any kind, since its field is longer than the message. To cancel the
 * call is not enough. Node ends a stream before it resets it, and the server would take what came so far for all.
 */
const poison = Buffer.of(0x0a, 0x7f);

/** How long a server may take to refuse an upload that is given up, before the call is cancelled. */
const giveUpMs = 1000;

/** A call that is being sent. Disposing of it before `finish` makes sure that the server does not take it for complete. */
export class Upload<Q, A> implements AsyncDisposable {
  readonly #method: AnyMethod;
  readonly #writer: BoundedWriter;
  readonly #call: ClientWritableStream<Buffer>;
  readonly #answer: Promise<Buffer>;
  readonly #ended: Promise<void>;
  readonly #silence: Silence;
  #state: 'sending' | 'finished' | 'given up' = 'sending';

  constructor(client: Client, method: AnyMethod, { grpc, timeoutMs, signal }: UploadContext) {
    this.#method = method;
    const answer = deferred<Buffer>();
    const ended = deferred<void>();
    this.#answer = answer.promise;
    this.#ended = ended.promise;
    answer.promise.catch(ignore);
    const fail = (failure: unknown): void => {
      this.#writer.fail(failure);
      answer.reject(failure);
    };
    const done = (error: ServiceError | null, value?: Buffer): void => {
      signal?.removeEventListener('abort', abort);
      this.#silence.end();
      ended.resolve();
      if (error !== null) span?.fail(failureOf(error, signal));
      span?.end();
      if (value === undefined || error !== null) {
        fail(this.#silence.isTooLong ? tooLong(timeoutMs) : failureOf(error, signal));
        return;
      }
      answer.resolve(value);
      this.#writer.fail(new RpcError('cancelled', 'the server has ended the call before all was sent'));
    };
    const span = startCallSpan(method);
    const metadata = callMetadata(grpc, span);
    const path = pathOf(method);
    this.#call = client.makeClientStreamRequest<Buffer, Buffer>(path, same, same, metadata, {}, done);
    this.#call.on('error', ignore);
    const abort = (): void => {
      fail(signal?.reason);
      void this[Symbol.asyncDispose]();
    };
    this.#silence = new Silence(timeoutMs, () => this.#call.cancel());
    this.#writer = new BoundedWriter(this.#call);
    signal?.addEventListener('abort', abort, { once: true });
  }

  /** Returns when there is room for more. One call at a time. */
  async write(request: Q): Promise<void> {
    this.#silence.begin();
    const { request: codec } = this.#method;
    const message = codec.encode(request);
    await this.#writer.write(toBuffer(message), () => codec.release?.(message));
    this.#silence.end();
  }

  /** Says that this was all; gives the answer. */
  async finish(): Promise<A> {
    if (this.#state === 'sending') {
      this.#state = 'finished';
      this.#call.end();
    }
    // What a codec decodes is what its method says.
    return decodeAnswer(this.#method, await this.#answer) as A;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'sending') {
      this.#state = 'given up';
      this.#call.write(poison);
      this.#call.end();
    }
    const timer = setTimeout(() => this.#call.cancel(), giveUpMs);
    await this.#ended;
    clearTimeout(timer);
    this.#silence.end();
  }
}

/** Notices when the other side does not move for too long. */
class Silence {
  readonly #limitMs: number;
  readonly #onTooLong: () => void;
  #timer: NodeJS.Timeout | undefined;
  isTooLong = false;

  constructor(limitMs: number, onTooLong: () => void) {
    this.#limitMs = limitMs;
    this.#onTooLong = onTooLong;
  }

  begin(): void {
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      this.isTooLong = true;
      this.#onTooLong();
    }, this.#limitMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function credentialsOf(
  { credentials }: GrpcModule,
  address: GrpcAddress,
  { tls }: GrpcClientOptions,
): ReturnType<GrpcModule['credentials']['createInsecure']> {
  if (!address.isEncrypted) return credentials.createInsecure();
  const pem = (bytes: Uint8Array | undefined): Buffer | null =>
    bytes === undefined ? null : toBuffer(bytes);
  return credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert));
}

function decodeAnswer<Q extends AnyCodec, A extends AnyCodec>(
  method: Method<Q, A>,
  message: Buffer,
): Read<A> {
  try {
    // What a codec decodes is what its method says.
    return method.answer.decode(fromBuffer(message)) as Read<A>;
  } catch (cause) {
    throw new RpcError('data-loss', `the answer of ${pathOf(method)} is no message of its kind`, { cause });
  }
}

function failureOf(error: ServiceError | null, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error === null) return new RpcError('internal', 'the server gave no answer');
  if (typeof error.code !== 'number') return error;
  return new RpcError(codeOfStatus(error.code), error.details, { cause: error });
}

function tooLong(timeoutMs: number): RpcError {
  return new RpcError('deadline-exceeded', `the server was silent for ${timeoutMs} ms`);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
};

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = ignore;
  let reject: (reason: unknown) => void = ignore;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function same(message: Buffer): Buffer {
  return message;
}

function ignore(): void {
  // Nothing is to be done.
}
