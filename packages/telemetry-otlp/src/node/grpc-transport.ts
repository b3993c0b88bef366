/**
 * Requests of OTLP over gRPC: unary calls on one connection of `node:http2`, which is loaded in a fraction of the time that
 * grpc-js takes.
 *
 *     body = isCompressed: 1 byte | length: u32, big-endian | message
 *
 * Sources: grpc.io, "gRPC over HTTP2"; which codes may be tried again: opentelemetry.io, "OTLP Specification".
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  connect,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ExportSettings } from './export-settings.ts';
import type { Signal } from './otlp-settings.ts';
import { type Outcome, type Transport, failureOf } from './transport.ts';

const services: Readonly<Record<Signal, string>> = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
};

/** Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss. */
const retryable: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);

const headBytes = 5;

export type GrpcTransportOptions = {
  readonly settings: ExportSettings;
  readonly signal: Signal;
  readonly userAgent: string;
};

export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  #session: ClientHttp2Session | undefined;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  send(body: () => Uint8Array, timeoutMs: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const session = this.#open();
      const end = (outcome: Outcome): void => {
        clearTimeout(timer);
        session.off('error', fail);
        session.off('close', fail);
        // What has failed is no connection to keep.
        if (outcome.kind === 'failed') session.destroy();
        resolve(outcome);
      };
      const fail = (error?: Error): void => end(failureOf(error ?? new Error('the connection ended')));
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      session.on('error', fail);
      session.on('close', fail);
      const call = (): void => {
        const stream = session.request(this.#headers());
        readOutcome(stream, end);
        stream.end(this.#framed(body()));
      };
      if (session.connecting) session.once('connect', call);
      else call();
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) {
      return this.#session;
    }
    const { url, tls } = this.#options.settings;
    const settings = { enablePush: false };
    const session =
      url.protocol === 'unix:'
        ? connect('http://localhost', { settings, createConnection: () => connectSocket(url.pathname) })
        : connect(url.origin, { settings, ...tls });
    session.on('error', () => session.destroy());
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }

  #headers(): Record<string, string> {
    const { settings, signal, userAgent } = this.#options;
    return {
      ':method': 'POST',
      ':path': `/opentelemetry.proto.collector.${services[signal]}/Export`,
      'user-agent': userAgent,
      ...settings.headers,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(settings.isCompressed && { 'grpc-encoding': 'gzip' }),
    };
  }

  #framed(message: Uint8Array): Buffer {
    const { isCompressed } = this.#options.settings;
    const sent = isCompressed ? gzipSync(message) : message;
    const head = Buffer.alloc(headBytes);
    head[0] = isCompressed ? 1 : 0;
    head.writeUInt32BE(sent.length, 1);
    return Buffer.concat([head, sent]);
  }
}

// oxlint-disable-next-line eslint/max-params -- of what, and for whom
function readOutcome(stream: ClientHttp2Stream, end: (outcome: Outcome) => void): void {
  let headers: IncomingHttpHeaders = {};
  const pieces: Buffer[] = [];
  stream.on('error', (error) => end(failureOf(error)));
  // Without a message, the status may be among the headers.
  stream.on('response', (it) => (headers = { ...headers, ...it }));
  stream.on('trailers', (it: IncomingHttpHeaders) => (headers = { ...headers, ...it }));
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => stream.close());
  stream.on('close', () => end(outcomeOf(headers, Buffer.concat(pieces))));
}

// oxlint-disable-next-line eslint/max-params -- the two parts of an answer
function outcomeOf(headers: IncomingHttpHeaders, body: Buffer): Outcome {
  const status = headers['grpc-status'];
  if (status === '0') return { kind: 'taken', answer: body.subarray(headBytes) };
  if (status === undefined) {
    const http = headers[':status'];
    if (http === undefined || String(http) === '200') return failureOf(new Error('the connection ended'));
    return { kind: 'refused', why: `the collector answers with HTTP status ${http}, and not as gRPC does` };
  }
  const why = `the collector answers with the status ${status} of gRPC: ${decoded(String(headers['grpc-message'] ?? ''))}`;
  return retryable.has(Number(status)) ? { kind: 'failed', why, isAbsent: false } : { kind: 'refused', why };
}

/** Messages of gRPC are percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
