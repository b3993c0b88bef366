/**
 * The server that speaks HTTP: TCP, TLS, Unix sockets and sockets of systemd in front of one handler.
 *
 * A client that stalls, in the middle of its request or of an answer, is left after `idleMs`, and one that takes longer for its
 * headers after `headersMs`; a server that takes long does not count as one that stalls. Answers are sent only as fast as they are
 * taken. Disposing ends gracefully: nothing new is accepted, and what is under way has `graceMs` to end.
 */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { CacheResponse, FileBody, RequestHandler } from '../http-exchange.ts';
import type { ConnectionProblem, ServerEvent } from '../server-event.ts';
import { type BytesResponse, textResponse } from '../text-response.ts';
import { IncomingExchange } from './incoming-request.ts';
import type { Activation } from './listen-address.ts';
import { type Listening, listenAt } from './listening.ts';
import { BodySink, ClientGone, sendPieces } from './send-body.ts';
import { FileSender } from './send-file.ts';

export type TlsOptions = {
  /** PEM. */
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Only clients with a certificate by one of these may ask. PEM. */
  readonly clientCa?: string | Uint8Array | undefined;
};

export type CacheServerOptions = {
  /** As `parseListenAddress` reads them. */
  readonly listen: readonly string[];
  readonly tls?: TlsOptions | undefined;
  /** Of the file of a Unix socket; 0o660 unless given. */
  readonly socketMode?: number | undefined;
  /** The variables of the environment by which systemd passes sockets. */
  readonly activation?: Activation | undefined;
  /** More connections are closed at once; 4096 unless given. */
  readonly maxConnections?: number | undefined;
  /** 30 s unless given. */
  readonly headersMs?: number | undefined;
  /** How long nothing may go over a connection that waits for its client; 60 s unless given. */
  readonly idleMs?: number | undefined;
  /** How long a connection is kept for another request; 75 s unless given. */
  readonly keepAliveMs?: number | undefined;
  /** 30 s unless given. */
  readonly graceMs?: number | undefined;
  readonly onEvent?: ((event: ServerEvent) => void) | undefined;
};

export interface CacheServer extends AsyncDisposable {
  /** Where clients connect: `http://host:port`, `https://host:port` or `unix:/path`. */
  readonly addresses: readonly string[];
}

/** Throws `NarBridgeError`: `bad-option`, `cannot-listen`. */
export async function serveCache(handler: RequestHandler, options: CacheServerOptions): Promise<CacheServer> {
  const serving = new Serving(handler, options);
  await serving.listen();
  return serving;
}

const defaults = {
  maxConnections: 4096,
  headersMs: 30_000,
  idleMs: 60_000,
  keepAliveMs: 75_000,
  graceMs: 30_000,
};

/** In bytes. */
const shortBody = 1 << 14;

/** What a client may still send after it has its answer: less than closing at once would cost it. */
const lingering = { maxBytes: 16 << 20, maxMs: 10_000 };

class Serving implements CacheServer {
  readonly addresses: string[] = [];
  readonly #handler: RequestHandler;
  readonly #options: CacheServerOptions;
  readonly #listening: Listening[] = [];
  readonly #active = new Set<IncomingExchange>();
  readonly #idPrefix = randomBytes(4).toString('hex');
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(handler: RequestHandler, options: CacheServerOptions) {
    this.#handler = handler;
    this.#options = options;
  }

  async listen(): Promise<void> {
    const { listen, activation = {}, socketMode = 0o660, tls } = this.#options;
    try {
      for (const address of listen) {
        const opened = await listenAt(address, () => this.#createServer(), { activation, socketMode });
        this.#listening.push(...opened);
        for (const { isUnix, at } of opened) {
          this.addresses.push(isUnix ? `unix:${at}` : `${tls === undefined ? 'http' : 'https'}://${at}`);
        }
      }
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    for (const address of this.addresses) this.#tell({ kind: 'listening', address });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#tell({ kind: 'closing', activeRequests: this.#active.size });
    const closed = this.#listening.map((it) => it.close());
    if (this.#active.size > 0) {
      const quiet = new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.#options.graceMs ?? defaults.graceMs);
      });
      await Promise.race([quiet, late]);
      clearTimeout(timer);
    }
    for (const exchange of this.#active) exchange.abort();
    for (const { server } of this.#listening) server.closeAllConnections();
    await Promise.all(closed);
  }

  #createServer(): Server {
    const { tls, headersMs, idleMs, keepAliveMs, maxConnections } = {
      ...defaults,
      ...defined(this.#options),
    };
    const httpOptions = {
      // The whole of a large upload may take long; `idleMs` watches over it.
      requestTimeout: 0,
      headersTimeout: headersMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.max(100, Math.min(headersMs / 2, 5_000)),
      noDelay: true,
    };
    const server =
      tls === undefined
        ? createServer(httpOptions)
        : createTlsServer({
            ...httpOptions,
            cert: pem(tls.cert),
            key: pem(tls.key),
            ...(tls.clientCa !== undefined && { ca: pem(tls.clientCa), requestCert: true }),
          });
    server.maxConnections = maxConnections;
    const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      void this.#answer(new IncomingExchange(incoming, outgoing, `${this.#idPrefix}-${++this.#lastId}`));
    };
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      socket.once('close', () => this.#onGone(socket));
    });
    server.on('request', answer);
    // The body is asked for when somebody reads it.
    server.on('checkContinue', answer);
    server.setTimeout(idleMs, (socket) => this.#onIdle(socket));
    server.on('drop', (connection?: { readonly remoteAddress?: string }) => {
      // Those that nobody uses make room.
      server.closeIdleConnections();
      this.#tellClosed(connection?.remoteAddress, 'too-many');
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#onBadRequest(error, socket as Socket),
    );
    return server;
  }

  async #answer(exchange: IncomingExchange): Promise<void> {
    this.#active.add(exchange);
    this.#tell({ kind: 'request-began', id: exchange.id });
    try {
      const response = await this.#handle(exchange);
      const body = exchange.incoming.method === 'HEAD' ? undefined : response.body;
      // Most answers are short: they are sent with their heads, and nothing waits for them.
      if (body === undefined || body instanceof Uint8Array) this.#sendBytes(exchange, response, body);
      else if ('file' in body) await this.#sendFile(exchange, response, body);
      else await this.#sendPieces(exchange, response, 'pieces' in body ? body.pieces : body);
    } catch (error) {
      if (!isNobodyThere(error, exchange)) {
        this.#tell({ kind: 'request-failed', id: exchange.id, error });
      }
      // Whoever got a part of an answer must not take it for all of it.
      exchange.outgoing.destroy();
    }
    exchange.isAnswered = true;
    if (exchange.isGone) this.#conclude(exchange);
  }

  /** When all of the answer was given to the system, or cannot be. */
  #conclude(exchange: IncomingExchange): void {
    if (!this.#active.delete(exchange)) return;
    const { incoming, outgoing, id, path, status, receivedBytes, sentBytes, startedMs } = exchange;
    linger(incoming);
    this.#tell({
      kind: 'request-ended',
      id,
      method: incoming.method ?? '',
      path,
      status,
      receivedBytes,
      sentBytes,
      durationMs: performance.now() - startedMs,
      remote: incoming.socket.remoteAddress ?? '',
      userAgent: incoming.headers['user-agent'] ?? '',
      isComplete: outgoing.writableFinished,
    });
    if (this.#active.size === 0) this.#onQuiet?.();
  }

  #onGone(socket: Socket): void {
    for (const exchange of this.#exchangesOf(socket)) {
      exchange.isGone = true;
      exchange.abort();
      if (exchange.isAnswered) this.#conclude(exchange);
    }
  }

  async #handle(exchange: IncomingExchange): Promise<CacheResponse> {
    try {
      return await this.#handler(exchange.request());
    } catch (error) {
      if (isNobodyThere(error, exchange)) throw error;
      return this.#failure(error, exchange);
    }
  }

  /** What went wrong is for whoever runs the server. */
  #failure(error: unknown, { id }: IncomingExchange): BytesResponse {
    this.#tell({ kind: 'request-failed', id, error });
    return textResponse(500, `the server could not answer; ask whoever runs it about request ${id}`);
  }

  #writeHead(exchange: IncomingExchange, { status, headers }: CacheResponse): void {
    if (this.#closing !== undefined) exchange.outgoing.shouldKeepAlive = false;
    exchange.status = status;
    exchange.outgoing.writeHead(status, headers);
  }

  #sendBytes(exchange: IncomingExchange, response: CacheResponse, body: Uint8Array | undefined): void {
    const { outgoing } = exchange;
    this.#writeHead(exchange, response);
    const conclude = (): void => this.#conclude(exchange);
    if (body === undefined) {
      outgoing.end(conclude);
      return;
    }
    exchange.sentBytes = body.length;
    if (body.length <= shortBody) endInOnePiece(outgoing, latin1(body), conclude);
    else outgoing.end(body, conclude);
  }

  async #sendPieces(
    exchange: IncomingExchange,
    response: CacheResponse,
    body: AsyncIterable<Uint8Array | FileBody>,
  ): Promise<void> {
    const pieces = body[Symbol.asyncIterator]();
    let first: IteratorResult<Uint8Array | FileBody, unknown>;
    try {
      // What fails at once can still be told.
      first = await pieces.next();
    } catch (error) {
      return this.#sendFailure(exchange, error);
    }
    this.#writeHead(exchange, response);
    await this.#stream(exchange, response, (sink) => sendPieces(sink, first, pieces));
  }

  async #sendFile(exchange: IncomingExchange, response: CacheResponse, body: FileBody): Promise<void> {
    let sender: FileSender;
    try {
      sender = await FileSender.open(body);
    } catch (error) {
      return this.#sendFailure(exchange, error);
    }
    using file = sender;
    const headers = { ...response.headers, 'content-length': String(body.end - body.start) };
    this.#writeHead(exchange, { ...response, headers });
    await this.#stream(exchange, response, (sink) => file.send(sink, exchange.outgoing));
  }

  async #stream(
    exchange: IncomingExchange,
    { headers }: CacheResponse,
    send: (sink: BodySink) => Promise<void>,
  ): Promise<void> {
    const sink = new BodySink(exchange.outgoing);
    exchange.onAbort(() => sink.close());
    try {
      await send(sink);
    } finally {
      exchange.sentBytes = sink.sentBytes;
    }
    const announced = headers['content-length'];
    if (announced !== undefined && Number(announced) !== sink.sentBytes) {
      throw new Error(`the answer has ${sink.sentBytes} bytes, and ${announced} were announced`);
    }
    exchange.outgoing.end(() => this.#conclude(exchange));
  }

  #sendFailure(exchange: IncomingExchange, error: unknown): void {
    if (isNobodyThere(error, exchange)) throw error;
    const failure = this.#failure(error, exchange);
    this.#sendBytes(exchange, failure, failure.body);
  }

  #onIdle(socket: Socket): void {
    if (this.#exchangesOf(socket).some((it) => it.waitsForServer)) return;
    this.#tellClosed(socket.remoteAddress, 'stalled');
    socket.destroy();
  }

  #onBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
    const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#tellClosed(socket.remoteAddress, isSlow ? 'too-slow' : 'bad-request');
    const isLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const status = isSlow
      ? '408 Request Timeout'
      : isLarge
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
    // In the middle of an answer it would be a part of that.
    if (this.#exchangesOf(socket).length > 0) socket.destroy();
    else
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
        socket.destroy(),
      );
  }

  /** Several, when the client did not wait for an answer. */
  #exchangesOf(socket: Socket): readonly IncomingExchange[] {
    return [...this.#active].filter(({ incoming }) => incoming.socket === socket);
  }

  #tellClosed(remote: string | undefined, reason: ConnectionProblem): void {
    this.#tell({ kind: 'connection-closed', remote: remote ?? '', reason });
  }

  #tell(event: ServerEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Whoever goes away makes something fail, which is no failure of the server. */
function isNobodyThere(error: unknown, { isAborted }: IncomingExchange): boolean {
  return isAborted || error instanceof ClientGone;
}

/**
 * Text goes with the head as one string, where bytes would be a second piece. `end(text)` adds an empty piece to it, so that the
 * two are gathered for the system, at a third of the cost of the whole answer.
 */
function endInOnePiece(outgoing: ServerResponse, text: string, conclude: () => void): void {
  const { socket } = outgoing;
  // Its turn has not come: it is sent by Node, after the answers before it.
  if (socket === null) {
    outgoing.end(text, 'latin1', conclude);
    return;
  }
  socket.cork();
  outgoing.write(text, 'latin1');
  socket.uncork();
  outgoing.end(conclude);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Takes what the client still sends of a body that nobody wanted, up to a limit, so that it reads its answer. */
function linger(incoming: IncomingMessage): void {
  const { socket } = incoming;
  if (incoming.complete || socket.destroyed) return;
  let bytes = 0;
  const timer = setTimeout(() => socket.destroy(), lingering.maxMs);
  timer.unref();
  incoming.on('data', (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > lingering.maxBytes) socket.destroy();
  });
  incoming.once('close', () => clearTimeout(timer));
  incoming.resume();
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text);
}

/** Without what is undefined, so that a default is not hidden by it. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
