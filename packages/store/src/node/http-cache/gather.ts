/** A short stream as one piece. */
import { concatBytes } from '@neve/bytes';
import { StoreError } from '../../store-error.ts';

/** Throws `StoreError` (`io`) when there are more than `maxBytes`, and stops reading then. */
export async function gather(
  source: AsyncIterable<Uint8Array>,
  { maxBytes, name }: { readonly maxBytes: number; readonly name: string },
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    length += piece.length;
    if (length > maxBytes) {
      throw new StoreError(
        'io',
        `${name} has more than ${maxBytes} bytes, which is too much for such a file`,
      );
    }
    pieces.push(piece.slice());
  }
  return concatBytes(pieces);
}
