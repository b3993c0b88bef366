/**
 * Sends bodies over a connection, never faster than the client takes them: a piece is asked for when the one before has left
 * this process, so that slow clients cost one piece of memory each.
 */
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { FileBody } from '../http-exchange.ts';

const filePieceSize = 1 << 18;

/** One connection's end: writes, and rejects what waits when the client goes away. */
export class BodySink {
  readonly #response: ServerResponse;
  #rejectWaiting: ((error: Error) => void) | undefined;
  #isClosed = false;
  /** Of the body. */
  sentBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.once('close', () => {
      this.#isClosed = true;
      this.#rejectWaiting?.(new ClientGone());
    });
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
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncIterator<Uint8Array, unknown>,
): Promise<void> {
  try {
    for (let piece = first; piece.done !== true; piece = await rest.next()) {
      if (piece.value.length > 0) await sink.write(piece.value);
    }
  } catch (error) {
    await rest.return?.();
    throw error;
  }
}

/** The range of the file; while a piece is sent, the next one is read. Ends early when the file does. */
export async function* filePieces({ file, start, end }: FileBody): AsyncGenerator<Uint8Array, void, void> {
  await using handle = await open(file);
  const size = Math.min(filePieceSize, end - start);
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)] as const;
  let position = start;
  const read = async (buffer: Buffer): Promise<Uint8Array> => {
    const length = Math.min(buffer.length, end - position);
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    position += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let turn = 0;
  let pending = read(buffers[0]);
  try {
    while (true) {
      const piece = await pending;
      if (piece.length === 0) return;
      turn = 1 - turn;
      pending = read(buffers[turn === 0 ? 0 : 1]);
      yield piece;
    }
  } finally {
    // The file is not closed below a read.
    await pending.catch(() => undefined);
  }
}
