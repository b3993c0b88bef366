/**
 * The writing side of a stream of messages, with a bound on the bytes that are not on their way yet. The streams of grpc-js
 * count messages, 16 of them, whatever their sizes.
 */

/** As Node's object streams: the callback is called when the message is out, or never after a failure. */
export interface MessageSink {
  write(message: Buffer, callback: (error?: Error | null) => void): boolean;
}

const maxPendingBytes = 2 * 1024 * 1024;

/** Besides its own length, what a message costs. */
const messageOverhead = 256;

export class BoundedWriter {
  readonly #sink: MessageSink;
  #pendingBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** The call has ended: `write` throws `error` from now on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** Returns when there is room for the next message. The message must not change before `onSent`. One call at a time. */
  async write(message: Buffer, onSent?: () => void): Promise<void> {
    this.#throwFailure();
    const size = message.length + messageOverhead;
    this.#pendingBytes += size;
    this.#sink.write(message, () => {
      this.#pendingBytes -= size;
      onSent?.();
      this.#wake?.();
    });
    while (this.#pendingBytes > maxPendingBytes) {
      // oxlint-disable-next-line no-await-in-loop -- waits for room
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#throwFailure();
    }
  }

  #throwFailure(): void {
    // oxlint-disable-next-line typescript/only-throw-error -- it is what the call failed with
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
