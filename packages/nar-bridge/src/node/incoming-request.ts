/** A request of `node:http` as one of a cache. What few requests need is made when it is asked for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CacheRequest } from '../http-exchange.ts';
import { NarBridgeError } from '../nar-bridge-error.ts';

/** Most requests have none. */
const noQuery = new URLSearchParams();

export class IncomingExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** As in what the server tells. */
  readonly id: string;
  readonly path: string;
  readonly startedMs: number = performance.now();
  /** Of the answer; 0 as long as there is none. */
  status = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** The handler has ended, and nothing more is sent. */
  isAnswered = false;
  /** The connection is closed. */
  isGone = false;
  readonly #query: string;
  #aborter: AbortController | undefined;
  #isAborted = false;
  #isBodyTaken = false;
  readonly #onAbort: (() => void)[] = [];

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, id: string) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.id = id;
    const url = incoming.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.#query = mark === -1 ? '' : url.slice(mark + 1);
  }

  request(): CacheRequest {
    const { incoming, path } = this;
    const body = (): AsyncGenerator<Uint8Array, void, void> => this.#body();
    const signal = (): AbortSignal => this.#signal();
    return {
      method: incoming.method ?? 'GET',
      path,
      // Only `set-cookie` may be a list, which no request has.
      headers: incoming.headers as Readonly<Record<string, string | undefined>>,
      query: this.#query === '' ? noQuery : new URLSearchParams(this.#query),
      get body() {
        return body();
      },
      get signal() {
        return signal();
      },
    };
  }

  /** Ends what is under way for this request. */
  abort(): void {
    this.#isAborted = true;
    this.#aborter?.abort();
    for (const listener of this.#onAbort.splice(0)) listener();
  }

  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** An answer whose turn has not come hears nothing of its connection from Node. */
  onAbort(listener: () => void): void {
    if (this.#isAborted) listener();
    else this.#onAbort.push(listener);
  }

  /** Whether the server is what the connection waits for, not the client. */
  get waitsForServer(): boolean {
    const { incoming } = this;
    // Also of one whose turn has not come: the client has not taken the answer before.
    if (incoming.socket.writableLength > 0) return false;
    if (incoming.complete) return true;
    // What is here and not read, or not asked for yet.
    return incoming.readableLength > 0 || !this.#isBodyTaken;
  }

  #signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    if (this.#isAborted) this.#aborter.abort();
    return this.#aborter.signal;
  }

  async *#body(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#isBodyTaken) throw new Error('the body of a request can be read once');
    this.#isBodyTaken = true;
    const { incoming, outgoing } = this;
    if (/^100-continue$/i.test(incoming.headers.expect ?? '')) outgoing.writeContinue();
    try {
      for await (const piece of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        this.receivedBytes += piece.length;
        yield piece;
      }
    } catch (cause) {
      throw new NarBridgeError('interrupted', 'the client went away before all of the body was here', {
        cause,
      });
    }
  }
}
