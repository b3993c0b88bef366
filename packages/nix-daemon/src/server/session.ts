/**
 * One connection of a client, from the greeting to its end: requests one after another, each with what is told while it is
 * under way and its answer.
 *
 * A request that fails is answered with an error, and the next one is read, if it is known where that begins: the stream that
 * came with the failed one is taken to its end. After a message that cannot be read nobody knows; the client is told, and the
 * connection ends. What is asked of a client that has gone ends with it.
 */
import { verbosity } from '@neve/nix-compat';
import {
  type WireConnection,
  type WireContext,
  type WireStream,
  type WorkerOperation,
  encodeWire,
  greetClient,
  logFrame,
  requestStream,
  workerAnswer,
  workerRequest,
} from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { addOperations } from './add-operations.ts';
import { buildOperations } from './build-operations.ts';
import { defaultBuildOptions } from './build-options.ts';
import type { Call, Client, Handler, SessionSettings } from './call.ts';
import { ClientLog } from './client-log.ts';
import type { DaemonState } from './daemon-state.ts';
import { isExpected } from './expected-failures.ts';
import { measuredOperation } from './measured-operation.ts';
import { pulledStream } from './pulled-stream.ts';
import { queryOperations } from './query-operations.ts';
import { realisationOperations } from './realisation-operations.ts';
import { storeOperations } from './store-operations.ts';

/** A connection, of which it is known how much was sent and has not left. */
export interface ClientConnection extends WireConnection {
  readonly pendingBytes: number;
}

export type SessionOptions = {
  readonly daemon: DaemonState;
  readonly isTrusted: boolean;
  /** Called when the client has introduced itself. */
  readonly onReady?: () => void;
  /** Told of bugs of ours. */
  readonly onBug: (error: unknown) => void;
  /** Aborted when the client has gone, or the server ends. */
  readonly signal: AbortSignal;
};

/** Fulfilled when the client has ended. Throws `NixCompatError` for a client that does not keep to the protocol. */
export async function serveSession(connection: ClientConnection, options: SessionOptions): Promise<void> {
  const { daemon, isTrusted } = options;
  const context = await greetClient(connection, {
    store: daemon.storeDirectory,
    introduction: { nixVersion: daemon.version, trust: isTrusted ? 'trusted' : 'notTrusted' },
  });
  options.onReady?.();
  const session = new Session(connection, context, options);
  await session.serve();
}

const handlers = {
  ...queryOperations,
  ...addOperations,
  ...buildOperations,
  ...storeOperations,
  ...realisationOperations,
};

class Session {
  readonly #connection: ClientConnection;
  readonly #context: WireContext;
  readonly #options: SessionOptions;
  readonly #log: ClientLog;
  #settings: SessionSettings = {
    options: defaultBuildOptions,
    verbosity: verbosity.info,
  };
  #lastSent: Promise<void> = Promise.resolve();

  // oxlint-disable-next-line eslint/max-params -- who, how, and for whom
  constructor(connection: ClientConnection, context: WireContext, options: SessionOptions) {
    this.#connection = connection;
    this.#context = context;
    this.#options = options;
    this.#log = new ClientLog(
      {
        send: (frame) => this.#send(encodeWire(logFrame, frame, context)),
        get pendingBytes() {
          return connection.pendingBytes;
        },
      },
      { hasActivities: context.minor >= 20 },
    );
  }

  async serve(): Promise<void> {
    const { daemon, isTrusted, signal } = this.#options;
    await using roots = daemon.temporaryRoots.open();
    const client = { daemon, isTrusted, context: this.#context, log: this.#log, roots, signal };
    this.#log.open();
    this.#log.close({ kind: 'last' });
    const { reader } = this.#connection;
    // What was sent is gone before the next request is read, so that nothing piles up for a client that only asks.
    for (await this.#lastSent; !(await reader.atEnd()); await this.#lastSent) {
      const { operation, request } = await this.#readRequest();
      await this.#answer(operation, request, client);
    }
  }

  async #readRequest(): Promise<{ readonly operation: WorkerOperation; readonly request: unknown }> {
    try {
      return await this.#connection.reader.read('request', workerRequest, this.#context);
    } catch (error) {
      this.#log.open();
      await this.#fail(error);
      throw error;
    }
  }

  // oxlint-disable-next-line eslint/max-params -- what, with what, and for whom
  async #answer(
    operation: WorkerOperation,
    request: unknown,
    client: Omit<Client, 'settings'>,
  ): Promise<void> {
    let stream: WireStream | undefined;
    const source = (): WireStream => (stream ??= this.#openStream(operation));
    let after: AsyncIterable<Uint8Array> | undefined;
    const call: Call = {
      ...client,
      settings: this.#settings,
      setSettings: (settings) => (this.#settings = settings),
      source,
      sendAfter: (it) => (after = it),
    };
    this.#log.open();
    let answer: Uint8Array;
    try {
      const found = await measuredOperation(operation, async () => await handlerOf(operation)(request, call));
      if (requestStream(operation, this.#context) !== 'none') await source().skip();
      answer = encodeWire(workerAnswer(operation), found as never, this.#context);
    } catch (error) {
      await this.#skip(operation, source, error);
      await this.#fail(error);
      return;
    }
    this.#log.close({ kind: 'last' });
    this.#send(answer);
    for await (const piece of after ?? []) await this.#connection.send(piece);
  }

  #openStream(operation: WorkerOperation): WireStream {
    const { reader } = this.#connection;
    switch (requestStream(operation, this.#context)) {
      case 'framed':
        return reader.frames();
      case 'nar':
        return reader.nar();
      case 'pulled':
        return pulledStream(this.#connection, this.#context);
      case 'none':
      case 'pushed':
        throw new Error(`no stream comes with ${operation}`);
    }
  }

  /** Takes what is left of the stream that came with a request that has failed. What is only sent when it is asked for is not. */
  // oxlint-disable-next-line eslint/max-params -- what, of what, and why
  async #skip(operation: WorkerOperation, source: () => WireStream, error: unknown): Promise<void> {
    const form = requestStream(operation, this.#context);
    if (form === 'none' || form === 'pulled') return;
    try {
      await source().skip();
    } catch {
      // The stream itself is what failed.
      await this.#fail(error);
      throw error;
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (!this.#log.isOpen) return;
    this.#log.close({
      kind: 'error',
      error: { level: verbosity.error, message: this.#message(error), traces: [] },
    });
    await this.#lastSent;
  }

  #message(error: unknown): string {
    if (isExpected(error)) return error.message;
    if (this.#options.signal.aborted) return 'interrupted by the user';
    this.#options.onBug(error);
    return `this is a bug in Neve, please report it: ${error instanceof Error ? error.message : String(error)}`;
  }

  /** A client that has gone is noticed when the next request is read. */
  #send(bytes: Uint8Array): void {
    this.#lastSent = this.#connection.send(bytes).catch(() => undefined);
  }
}

function handlerOf(operation: WorkerOperation): (request: unknown, call: Call) => Promise<unknown> {
  const handler = (handlers as Partial<{ readonly [Name in WorkerOperation]: Handler<Name> }>)[operation];
  if (handler === undefined) {
    throw new NixDaemonError('unsupported', `the operation ${operation} is not done by this daemon`);
  }
  // The request is the one of this operation, by its codec.
  return handler as (request: unknown, call: Call) => Promise<unknown>;
}
