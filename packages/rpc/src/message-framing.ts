/**
 * Messages of gRPC in a stream of bytes:
 *
 *     message: compressed: u8, 0 | length: u32, big-endian | bytes
 *
 * Source: grpc.io, "gRPC over HTTP2", "Length-Prefixed-Message".
 */
const headerBytes = 5;
const maxMessageBytes = 64 * 1024 * 1024;

export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, headerBytes);
  return bytes;
}

/** Puts messages together of the pieces in which they come. */
export class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void;
  #rest: Uint8Array = new Uint8Array();

  /** Messages are valid during the call only. */
  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  /** Throws `RangeError` for what is no message, or one that is too long. */
  take(bytes: Uint8Array): void {
    let rest = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    while (rest.length >= headerBytes) {
      const size = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
      if (rest[0] !== 0) throw new RangeError('a message is compressed, which nobody asked for');
      if (size > maxMessageBytes) throw new RangeError(`a message has ${size} bytes`);
      const end = headerBytes + size;
      if (rest.length < end) break;
      this.#onMessage(rest.subarray(headerBytes, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest.slice();
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const all = new Uint8Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  return all;
}
