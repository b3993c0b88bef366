/**
 * The server's side of Tracy's protocol 69 for tests, written from its sources (`server/TracyWorker.cpp`): reads frames,
 * takes their blocks of LZ4 apart by the document of that format, and items by the sizes of `QueueDataSize`.
 */

export type ReadItem =
  | { readonly kind: 'thread'; readonly thread: number }
  | {
      readonly kind: 'begin';
      readonly function: string;
      readonly file: string;
      readonly name: string;
      readonly time: bigint;
    }
  | { readonly kind: 'end'; readonly time: bigint }
  | { readonly kind: 'text' | 'name'; readonly text: string }
  | { readonly kind: 'message'; readonly text: string; readonly time: bigint }
  | { readonly kind: 'color'; readonly rgb: readonly number[] }
  | { readonly kind: 'string'; readonly type: number; readonly pointer: bigint; readonly text: string }
  | { readonly kind: 'terminate' | 'keep-alive' | 'acknowledged' | 'no-source-code' };

/** Frames that have come whole, and the rest. */
export function splitFrames(bytes: Uint8Array): {
  readonly frames: readonly Uint8Array[];
  readonly rest: Uint8Array;
} {
  const frames: Uint8Array[] = [];
  let at = 0;
  while (bytes.length - at >= 4) {
    const size = viewOf(bytes).getUint32(at, true);
    if (bytes.length - at - 4 < size) break;
    frames.push(decodeBlock(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** LZ4 Block Format Description: sequences of literals and matches, the last one without a match. */
export function decodeBlock(block: Uint8Array): Uint8Array {
  const output: number[] = [];
  let at = 0;
  const next = (): number => {
    const byte = block[at++];
    if (byte === undefined) throw new Error('the block ends within a sequence');
    return byte;
  };
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble === 15) for (let byte = 255; byte === 255; sum += byte) byte = next();
    return sum;
  };
  while (at < block.length) {
    const token = next();
    for (let left = length(token >> 4); left > 0; left--) output.push(next());
    if (at === block.length) return Uint8Array.from(output);
    const offset = next() | (next() << 8);
    for (let left = length(token & 15) + 4; left > 0; left--)
      output.push(output[output.length - offset] ?? 0);
  }
  throw new Error('the block does not end with literals');
}

/** The items of all frames, and times from zero on, as the server has them. */
export class ItemReader {
  #time = 0n;
  #single = '';

  read(frame: Uint8Array): readonly ReadItem[] {
    const items: ReadItem[] = [];
    const view = viewOf(frame);
    const text = (start: number, length: number): string =>
      new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(start, start + length));
    let at = 0;
    let place: { function: string; file: string; name: string } | undefined;
    while (at < frame.length) {
      const type = view.getUint8(at);
      at += 1;
      switch (type) {
        case 0:
        case 1:
          items.push({ kind: type === 0 ? 'text' : 'name', text: this.#single });
          break;
        case 2:
          items.push({ kind: 'message', text: this.#single, time: view.getBigInt64(at, true) });
          at += 8;
          break;
        case 7:
          if (place === undefined) throw new Error('a zone begins without its place');
          this.#time += view.getBigInt64(at, true);
          items.push({ kind: 'begin', ...place, time: this.#time });
          place = undefined;
          at += 8;
          break;
        case 17:
          this.#time += view.getBigInt64(at, true);
          items.push({ kind: 'end', time: this.#time });
          at += 8;
          break;
        case 57:
          items.push({ kind: 'terminate' });
          break;
        case 58:
          items.push({ kind: 'keep-alive' });
          break;
        case 59:
          this.#time = 0n;
          items.push({ kind: 'thread', thread: view.getUint32(at, true) });
          at += 4;
          break;
        case 65:
          items.push({ kind: 'color', rgb: [frame[at + 2] ?? 0, frame[at + 1] ?? 0, frame[at] ?? 0] });
          at += 3;
          break;
        case 92:
          items.push({ kind: 'acknowledged' });
          break;
        case 93:
          items.push({ kind: 'no-source-code' });
          at += 4;
          break;
        case 96:
          this.#single = text(at + 2, view.getUint16(at, true));
          at += 2 + view.getUint16(at, true);
          break;
        case 100:
        case 101:
        case 102:
        case 106: {
          const size = view.getUint16(at + 8, true);
          const pointer = view.getBigUint64(at, true);
          items.push({ kind: 'string', type, pointer, text: text(at + 10, size) });
          at += 10 + size;
          break;
        }
        case 103: {
          const size = view.getUint16(at + 8, true);
          const [called = '', file = '', name = ''] = text(at + 18, size - 8).split('\0');
          place = { function: called, file, name };
          at += 10 + size;
          break;
        }
        default:
          throw new Error(`an item of type ${type}`);
      }
    }
    return items;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
