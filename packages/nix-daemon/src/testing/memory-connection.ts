/** Two ends of a connection in memory, as sockets are: what one sends the other reads, in pieces of a given size. */
import { type WireConnection, WireReader } from '@neve/nix-compat/protocols';

export type ConnectionEnd = WireConnection & {
  readonly pendingBytes: number;
  /** Nothing more is sent. */
  end(): void;
  /** Every byte that has come so far and will, instead of the reader. */
  readonly bytes: AsyncIterable<Uint8Array>;
};

/** `pieceBytes`: how much comes at once, at most. */
export function memoryConnection(pieceBytes: number = Infinity): readonly [ConnectionEnd, ConnectionEnd] {
  const [there, back] = [new Channel(pieceBytes), new Channel(pieceBytes)];
  return [endOf(back, there), endOf(there, back)];
}

function endOf(from: Channel, to: Channel): ConnectionEnd {
  return {
    reader: new WireReader(from),
    bytes: from,
    get pendingBytes() {
      return to.pendingBytes;
    },
    send: async (bytes) => to.push(bytes),
    end: () => to.end(),
  };
}

class Channel implements AsyncIterable<Uint8Array> {
  pendingBytes = 0;
  readonly #pieceBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  push(bytes: Uint8Array): void {
    const copy = bytes.slice();
    for (let at = 0; at < copy.length; at += Math.min(this.#pieceBytes, copy.length)) {
      this.#pieces.push(copy.subarray(at, Math.min(copy.length, at + this.#pieceBytes)));
    }
    this.pendingBytes += copy.length;
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.pendingBytes -= piece.length;
        yield piece;
      } else if (this.#hasEnded) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
