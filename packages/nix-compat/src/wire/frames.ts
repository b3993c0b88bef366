/**
 * A stream in frames, as protocol 1.23 and newer send what may fail half-way: lengths of 64 bits, so many bytes after each,
 * without padding, and a length of 0 at the end. Short pieces are gathered, so that a stream of crumbs costs no frame each.
 */
import { concatBytes } from '@neve/bytes';

const gatheredSize = 1 << 15;

/** The bytes to send for a stream: a length and pieces in turn. Pieces are passed on as they are when they are long. */
export async function* writeFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let crumbs: Uint8Array[] = [];
  let gathered = 0;
  for await (const piece of source) {
    if (piece.length === 0) continue;
    gathered += piece.length;
    const isLong = gathered >= gatheredSize;
    // A crumb is copied: its memory may be used again before it is sent.
    crumbs.push(isLong ? piece : piece.slice());
    if (!isLong) continue;
    yield frameStart(gathered);
    yield* crumbs;
    crumbs = [];
    gathered = 0;
  }
  yield concatBytes([...(gathered > 0 ? [frameStart(gathered), ...crumbs] : []), frameStart(0)]);
}

/** The length in front of a frame; the one with 0 ends the stream. */
export function frameStart(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}
