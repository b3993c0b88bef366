/**
 * One connection to a Nix daemon: a request at a time, its log frames handed to whoever asked, its stream sent or received.
 *
 * While a stream is sent, what the daemon says is read beside it, so that a daemon that fails half-way is heard, and that
 * neither side waits for the other.
 */
import type { StoreDirectory } from '@neve/nix-compat';
import {
  type ClientOptions,
  type DaemonError,
  type DaemonIntroduction,
  type LogFrame,
  type ProtocolVersion,
  type WireContext,
  type WorkerAnswers,
  type WorkerOperation,
  type WorkerRequests,
  answerStream,
  bytes as bytesCodec,
  encodeWire,
  encodeWorkerRequest,
  greetDaemon,
  hasOperation,
  logFrame,
  requestStream,
  workerAnswer,
  writeFrames,
} from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { PooledConnection } from './connection-pool.ts';
import { plainText } from './plain-text.ts';
import { protocolErrors } from './protocol-errors.ts';
import type { RemoteConnection } from './remote-connection.ts';

export type WorkerClientOptions = {
  readonly store: StoreDirectory;
  /** What is spoken; the newest unless given. */
  readonly version?: ProtocolVersion;
  /** Sent after the greeting. */
  readonly options?: ClientOptions | undefined;
};

export type CallOptions<Answer> = {
  /** The stream that follows the request. */
  readonly body?: AsyncIterable<Uint8Array>;
  /** Hears log messages, activities and results. */
  readonly onLog?: ((frame: LogFrame) => void) | undefined;
  /** Takes the archive that follows the answer, all of it. */
  readonly receive?: (nar: AsyncIterable<Uint8Array>) => Promise<Answer>;
};

export class WorkerClient implements PooledConnection {
  readonly context: WireContext;
  readonly daemon: DaemonIntroduction;
  readonly #connection: RemoteConnection;
  #isUsable = true;

  private constructor(
    connection: RemoteConnection,
    { context, daemon }: Pick<WorkerClient, 'context' | 'daemon'>,
  ) {
    this.#connection = connection;
    this.context = context;
    this.daemon = daemon;
  }

  /** Greets the daemon. Throws `NixDaemonError`, and closes the connection then. */
  static async open(connection: RemoteConnection, options: WorkerClientOptions): Promise<WorkerClient> {
    try {
      return await protocolErrors(connection, async () => {
        const client = new WorkerClient(connection, await greetDaemon(connection, options));
        await client.#readLog({});
        if (options.options !== undefined) await client.call('setOptions', options.options);
        return client;
      });
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Whether both sides know an operation. */
  has(operation: WorkerOperation): boolean {
    return hasOperation(operation, this.context);
  }

  /**
   * Asks the daemon. Throws `NixDaemonError`: `remote-failure` for what the daemon could not do, after which the connection
   * may be used again unless a stream was on its way.
   */
  call<Name extends WorkerOperation, Received = WorkerAnswers[Name]>(
    operation: Name,
    request: WorkerRequests[Name],
    options: CallOptions<Received> = {},
  ): Promise<Received> {
    return protocolErrors(this.#connection, () => this.#call(operation, request, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isUsable = false;
    await this.#connection[Symbol.asyncDispose]();
  }

  // oxlint-disable-next-line eslint/max-params -- options come last
  async #call<Name extends WorkerOperation, Received>(
    operation: Name,
    request: WorkerRequests[Name],
    options: CallOptions<Received>,
  ): Promise<Received> {
    const { reader } = this.#connection;
    const encoded = encodeWorkerRequest(operation, request, this.context);
    // What fails from here on leaves the connection out of step, unless it is said otherwise.
    this.#isUsable = false;
    await this.#connection.send(encoded);
    await this.#exchange(operation, options);
    const answer = await reader.read(`answer to ${operation}`, workerAnswer(operation), this.context);
    let received: Received;
    if (answerStream(operation) === 'nar' && options.receive !== undefined) {
      const nar = reader.nar();
      received = await options.receive(nar);
      await nar.skip();
    } else {
      // Without `receive`, what is received is the answer.
      received = answer as unknown as Received;
    }
    this.#isUsable = true;
    return received;
  }

  /** Sends the stream of a request and reads what the daemon says, until it is done. */
  async #exchange(operation: WorkerOperation, options: CallOptions<unknown>): Promise<void> {
    const { body } = options;
    const form = requestStream(operation, this.context);
    if (body === undefined || form === 'none') return this.#readLog({ ...options, isInStep: true });
    if (form === 'pulled') return this.#readLog({ ...options, pull: body[Symbol.asyncIterator]() });
    const stop = new AbortController();
    let problem: { readonly error: unknown } | undefined;
    const sent = this.#sendBody(form === 'framed' ? writeFrames(body) : body, stop.signal).catch(
      async (error: unknown) => {
        problem = { error };
        // The daemon waits for the rest, which never comes.
        await this.#connection[Symbol.asyncDispose]();
      },
    );
    try {
      await this.#readLog(options);
    } catch (error) {
      stop.abort();
      // When the daemon has said why it does not take the body, that counts.
      const isSaid = error instanceof NixDaemonError && error.code === 'remote-failure';
      throw problem === undefined || isSaid ? error : problem.error;
    }
    await sent;
    if (problem !== undefined) throw problem.error;
  }

  async #sendBody(pieces: AsyncIterable<Uint8Array>, stop: AbortSignal): Promise<void> {
    for await (const piece of pieces) {
      if (stop.aborted) return;
      await this.#connection.send(piece);
    }
  }

  async #readLog({ onLog, pull, isInStep = false }: LogOptions): Promise<void> {
    while (true) {
      const frame = await this.#connection.reader.read('log of the daemon', logFrame, this.context);
      switch (frame.kind) {
        case 'last':
          return;
        case 'error':
          this.#isUsable = isInStep;
          throw new NixDaemonError('remote-failure', `${this.#connection.name}: ${describe(frame.error)}`);
        case 'read':
          await this.#feed(pull, frame.size);
          break;
        case 'write':
          throw new NixDaemonError('protocol', `${this.#connection.name} sends data that nobody asked for`);
        default:
          onLog?.(frame);
      }
    }
  }

  /** Gives the daemon the next piece of a stream that it pulls, no longer than it wants. */
  async #feed(pull: AsyncIterator<Uint8Array> | undefined, size: number): Promise<void> {
    if (pull === undefined) {
      throw new NixDaemonError('protocol', `${this.#connection.name} asks for data that nobody has`);
    }
    let piece = this.#leftOver;
    while (piece.length === 0) {
      const step = await pull.next();
      if (step.done === true) break;
      piece = step.value;
    }
    const now = piece.subarray(0, size);
    this.#leftOver = piece.subarray(now.length);
    await this.#connection.send(encodeWire(bytesCodec, now, this.context));
  }

  #leftOver: Uint8Array = new Uint8Array(0);
}

type LogOptions = Pick<CallOptions<unknown>, 'onLog'> & {
  readonly pull?: AsyncIterator<Uint8Array>;
  /** Whether the next request may follow an error. */
  readonly isInStep?: boolean;
};

function describe({ message, traces }: DaemonError): string {
  return [...traces.toReversed().map((it) => `… ${it}`), message].map(plainText).join('\n');
}
