/**
 * A stream that a client before version 1.23 sends piece by piece, each when it is asked for. It ends with an empty piece, or
 * when nobody asks any more.
 */
import {
  type WireConnection,
  type WireContext,
  type WireStream,
  bytes,
  encodeWire,
  logFrame,
} from '@neve/nix-compat/protocols';

const pieceSize = 1 << 16;

export function pulledStream(connection: WireConnection, context: WireContext): WireStream {
  async function* pull(): AsyncGenerator<Uint8Array, void, void> {
    while (true) {
      await connection.send(encodeWire(logFrame, { kind: 'read', size: pieceSize }, context));
      const piece = await connection.reader.read('piece of a stream', bytes, context);
      if (piece.length === 0) return;
      yield piece;
    }
  }
  const whole = pull();
  return {
    [Symbol.asyncIterator]: () => ({ next: () => whole.next() }),
    // What is not asked for is not sent.
    skip: async () => undefined,
  };
}
