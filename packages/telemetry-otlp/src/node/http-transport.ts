/**
 * Requests of OTLP over HTTP: protobuf, posted on one connection that is kept. What may be tried again is what the
 * specification names: 429, 502, 503, 504 (with Retry-After), and connections that fail.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { gzipSync } from 'node:zlib';
import type { ExportSettings } from './export-settings.ts';
import { type Outcome, type Transport, failureOf } from './transport.ts';

const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Nobody reads more of what a collector answers. */
const maxAnswerBytes = 1 << 20;

export class HttpTransport implements Transport {
  readonly #settings: ExportSettings;
  readonly #userAgent: string;
  readonly #agent: Agent;
  readonly #isTls: boolean;

  constructor(settings: ExportSettings, userAgent: string) {
    this.#settings = settings;
    this.#userAgent = userAgent;
    this.#isTls = settings.url.protocol === 'https:';
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#isTls ? new TlsAgent({ ...options, ...settings.tls }) : new Agent(options);
  }

  send(body: () => Uint8Array, timeoutMs: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const sent = this.#begin();
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const end = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      sent.on('error', (error) => end(failureOf(error)));
      sent.on('response', (answer) => void readAnswer(answer).then(end));
      sent.on('socket', (socket) => {
        const write = (): void => void sent.end(this.#settings.isCompressed ? gzipSync(body()) : body());
        if (socket.connecting) socket.once(this.#isTls ? 'secureConnect' : 'connect', write);
        else write();
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #begin(): ClientRequest {
    const { url, headers, isCompressed } = this.#settings;
    return (this.#isTls ? tlsRequest : request)(url, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'user-agent': this.#userAgent,
        ...headers,
        'content-type': 'application/x-protobuf',
        ...(isCompressed && { 'content-encoding': 'gzip' }),
      },
    });
  }
}

async function readAnswer(answer: IncomingMessage): Promise<Outcome> {
  const status = answer.statusCode ?? 0;
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size <= maxAnswerBytes) pieces.push(piece);
    }
  } catch (error) {
    return failureOf(error);
  }
  if (status >= 200 && status < 300) return { kind: 'taken', answer: Buffer.concat(pieces) };
  const why = `the collector answers with HTTP status ${status}`;
  if (!retryable.has(status)) return { kind: 'refused', why };
  return { kind: 'failed', why, isAbsent: false, afterMs: retryAfterMs(answer.headers['retry-after']) };
}

/** Seconds, or a date. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
