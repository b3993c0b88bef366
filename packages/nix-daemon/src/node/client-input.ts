/**
 * What comes from a client, read ahead up to a bound, so that its end is seen while a request is under way that reads nothing:
 * a client that has gone must not be worked for. One that only has nothing more to say gets a while for its last answers.
 */
import type { Readable } from 'node:stream';

/** More than this waits in the kernel. */
const maxQueuedBytes = 1 << 20;

/** From the end of what a client sends to when it counts as gone. */
const lastAnswersMs = 1000;

export class ClientInput implements AsyncIterable<Uint8Array> {
  readonly #stream: Readable;
  readonly #gone: AbortController = new AbortController();
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (piece: Uint8Array) => this.#push(piece));
    stream.on('end', () => {
      this.end();
      this.#timer = setTimeout(() => this.#gone.abort(new Error('the client has gone')), lastAnswersMs);
    });
    stream.on('error', (error) => this.#leave(error));
    stream.on('close', () => this.#leave(new Error('the client has gone')));
  }

  /** Aborted when the client has gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Nothing more is taken; what has come is. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      const piece = this.#queue.shift();
      if (piece !== undefined) {
        this.#queuedBytes -= piece.length;
        if (this.#queuedBytes < maxQueuedBytes && this.#stream.isPaused()) this.#stream.resume();
        yield piece;
      } else if (this.#hasEnded) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  #push(piece: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#queue.push(piece);
    this.#queuedBytes += piece.length;
    if (this.#queuedBytes >= maxQueuedBytes) this.#stream.pause();
    this.#wake();
  }

  #leave(reason: Error): void {
    clearTimeout(this.#timer);
    this.end();
    this.#queue = [];
    if (!this.#gone.signal.aborted) this.#gone.abort(reason);
  }
}
