/**
 * Content-defined chunking: a stream of bytes cut where its contents say so, so that equal parts of different blobs
 * become equal chunks.
 *
 * The borders are those of FastCDC, version 2020, as the Rust crate `fastcdc` 3 (`v2020`, normalisation level 1) finds
 * them: with the same sizes, the chunks are those of a store that uses the crate. From the minimal size on, a chunk ends
 * before the first byte whose gear hash has only zeros under a mask, with more bits up to the average size and with fewer
 * behind it, or at the maximal size. The crate looks at two bytes at a time, so that an odd byte at the end of the stream
 * never begins a chunk.
 */
import { CastoreError } from './castore-error.ts';
import { hashCore } from './hash-core.ts';

export type ChunkSizes = {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
};

/** An average of 256 KiB, half of it at least and its double at most. */
export const defaultChunkSizes: ChunkSizes = chunkSizes(262_144);

/** The sizes that go with an average: half of it at least and its double at most. */
export function chunkSizes(averageBytes: number): ChunkSizes {
  return { minBytes: Math.floor(averageBytes / 2), averageBytes, maxBytes: averageBytes * 2 };
}

/** How many bytes are searched in one call: a compromise between the calls and what is copied behind a border. */
const pieceLength = 32_768;

/**
 * Cuts the bytes that are pushed. It holds at most one chunk of the maximal size.
 *
 * A chunk is a view of the bytes pushed last, if it is all there, or an array of its own: it is valid as long as the
 * caller leaves these bytes alone, and the chunker never writes to it again.
 */
export class Chunker {
  readonly #sizes: ChunkSizes;
  readonly #maskBefore: bigint;
  readonly #maskBehind: bigint;
  /** The beginning of a chunk from former pushes, in a buffer that is made for this chunk. */
  #carry: Uint8Array = new Uint8Array();
  #carried = 0;
  /** How far the chunk has been searched; even, and past at most all but one of its bytes. */
  #searched: number;
  #hash = 0n;

  /** Throws `CastoreError` (`unsupported`) for sizes that the crate does not take either. */
  constructor(sizes: ChunkSizes = defaultChunkSizes) {
    const { minBytes, averageBytes, maxBytes } = sizes;
    const valid =
      within(minBytes, 64, 1_048_576) &&
      within(averageBytes, 256, 4_194_304) &&
      within(maxBytes, 1024, 16_777_216);
    if (!valid || minBytes > averageBytes || averageBytes > maxBytes) {
      const shown = `${minBytes}, ${averageBytes} and ${maxBytes}`;
      throw new CastoreError('unsupported', `chunks cannot have ${shown} bytes (minimum, average, maximum)`);
    }
    const bits = Math.round(Math.log2(averageBytes));
    this.#sizes = sizes;
    this.#maskBefore = gearMask(bits + 1);
    this.#maskBehind = gearMask(bits - 1);
    this.#searched = even(minBytes);
  }

  /** Takes the next bytes; gives the chunks which are complete. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const chunks: Uint8Array[] = [];
    let rest = bytes;
    while (true) {
      const cut = this.#findCut(rest);
      if (cut === undefined) break;
      const fromRest = Math.max(0, cut - this.#carried);
      chunks.push(this.#take(rest, cut));
      rest = rest.subarray(fromRest);
    }
    this.#keep(rest);
    return chunks;
  }

  /** The last chunk, which may be shorter than the minimal size; nothing after no bytes. The chunker is used up. */
  end(): Uint8Array | undefined {
    return this.#carried === 0 ? undefined : this.#carry.subarray(0, this.#carried);
  }

  /** The length of the chunk that begins with what is carried and goes on with `rest`, if it ends in there. */
  #findCut(rest: Uint8Array): number | undefined {
    const { averageBytes, maxBytes } = this.#sizes;
    const available = this.#carried + rest.length;
    const searchable = even(Math.min(available, maxBytes));
    while (this.#searched < searchable) {
      const isBefore = this.#searched < even(averageBytes);
      const limit = isBefore ? Math.min(searchable, even(averageBytes)) : searchable;
      const length = Math.min(pieceLength, limit - this.#searched);
      this.#load(rest, length);
      const core = hashCore();
      const found = core.findCut(length, isBefore ? this.#maskBefore : this.#maskBehind, this.#hash);
      this.#searched += found;
      if (found < length) return this.#searched;
      this.#hash = core.gearHash();
    }
    return available >= maxBytes ? maxBytes : undefined;
  }

  /** Puts the next bytes to be searched where the search finds them: at most one of them is carried. */
  #load(rest: Uint8Array, length: number): void {
    const { input } = hashCore();
    let at = this.#searched - this.#carried;
    let loaded = 0;
    for (; at < 0 && loaded < length; at++) input[loaded++] = this.#carry[this.#carried + at] ?? 0;
    input.set(rest.subarray(at, at + length - loaded), loaded);
  }

  /** The first `length` bytes of what is carried and `rest`; what is carried behind them stays. */
  #take(rest: Uint8Array, length: number): Uint8Array {
    const carried = this.#carried;
    const carry = this.#carry;
    this.#searched = even(this.#sizes.minBytes);
    this.#hash = 0n;
    this.#carried = 0;
    if (carried === 0) return rest.subarray(0, length);
    this.#carry = new Uint8Array();
    if (length < carried) this.#keep(carry.subarray(length, carried));
    else carry.set(rest.subarray(0, length - carried), carried);
    return carry.subarray(0, length);
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return;
    if (this.#carry.length === 0) this.#carry = new Uint8Array(this.#sizes.maxBytes);
    this.#carry.set(rest, this.#carried);
    this.#carried += rest.length;
  }
}

/** The largest even number that is not larger. */
function even(n: number): number {
  return n - (n % 2);
}

function within(n: number, min: number, max: number): boolean {
  return Number.isInteger(n) && n >= min && n <= max;
}

/**
 * A mask with `bits` bits, 7 to 23. They are spread by hand: those for 2^6 to 2^17 bytes are of destor, the authors'
 * implementation, the others of restic's FastCDC, from which the crate has them.
 */
function gearMask(bits: number): bigint {
  const mask = gearMasks[bits - 7];
  if (mask === undefined) throw new CastoreError('unsupported', `there is no mask with ${bits} bits`);
  return mask;
}

const gearMasks: readonly bigint[] = [
  0x0000000018035100n,
  0x0000001800035300n,
  0x0000019000353000n,
  0x0000590003530000n,
  0x0000d90003530000n,
  0x0000d90103530000n,
  0x0000d90303530000n,
  0x0000d90313530000n,
  0x0000d90f03530000n,
  0x0000d90303537000n,
  0x0000d90703537000n,
  0x0000d90707537000n,
  0x0000d91707537000n,
  0x0000d91747537000n,
  0x0000d91767537000n,
  0x0000d93767537000n,
  0x0000d93777537000n,
];
