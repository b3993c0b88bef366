/** A stream to standard output. */
import { write } from '../output.ts';

/** Each piece is written before the next one is asked for. */
export async function writeStream(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) write(1, piece);
}
