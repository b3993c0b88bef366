/**
 * Sends bodies over a connection, never faster than the client takes them: a piece is asked for when the one before has left
 * this process, so that slow clients cost one piece of memory each.
 */
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { FileBody } from '../http-exchange.ts';
import { FileSender } from './send-file.ts';

/** What is read and taken without waiting goes on for so long before others have their turn. */
const longestTurnMs = 5;

/** One connection's end: writes, and rejects what waits when the client goes away. */
export class BodySink {
  readonly #response: ServerResponse;
  #rejectWaiting: ((error: Error) => void) | undefined;
  #isClosed = false;
  /** Of the body. */
  sentBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#rejectWaiting?.(new ClientGone());
  }

  /** Fulfilled when all of it was given to the system. Throws `ClientGone`, and what opening and reading it throws. */
  async sendFile(body: FileBody): Promise<void> {
    using file = await FileSender.open(body);
    await file.send(this, this.#response);
  }

  /** Fulfilled when the bytes may be written over. Throws `ClientGone`. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new ClientGone());
        return;
      }
      this.#rejectWaiting = reject;
      this.#response.write(bytes, (error) => {
        this.#rejectWaiting = undefined;
        if (error instanceof Error) reject(new ClientGone(error));
        else resolve();
      });
      this.sentBytes += bytes.length;
    });
  }
}

/** The client has closed its connection. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor(cause?: Error) {
    super('the client went away', { cause });
  }
}

/** All pieces. Whatever goes wrong, the source is told to end. */
export async function sendPieces(
  sink: BodySink,
  first: IteratorResult<Uint8Array | FileBody, unknown>,
  rest: AsyncIterator<Uint8Array | FileBody, unknown>,
): Promise<void> {
  try {
    let startedMs = performance.now();
    for (let piece = first; piece.done !== true; piece = await rest.next()) {
      if (!(piece.value instanceof Uint8Array)) await sink.sendFile(piece.value);
      else if (piece.value.length > 0) await sink.write(piece.value);
      if (performance.now() - startedMs < longestTurnMs) continue;
      await turn();
      startedMs = performance.now();
    }
  } catch (error) {
    await rest.return?.();
    throw error;
  }
}
