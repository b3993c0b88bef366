/**
 * A reader that hands nothing out before it is proved to be part of the blob that was asked for.
 *
 * Reads are widened to whole groups of 16 KiB, which are verified with the outboard. A read that reaches the end, or goes
 * beyond it, also proves that the blob ends there.
 */
import type { B3Digest } from './b3-digest.ts';
import type { BlobReader, ByteRange } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import { chunkGroupSize } from './hash-core.ts';
import { groupRange, type NodeRange } from './outboard.ts';
import type { OutboardVerifier } from './verified-range.ts';

export type OutboardNodes = { readonly first: number; readonly bytes: Uint8Array };

export type VerifiedReaderOptions = {
  readonly digest: B3Digest;
  /** Nobody trusts its bytes or its size. */
  readonly inner: BlobReader;
  /** For `digest`, and the size of `inner`. */
  readonly verifier: OutboardVerifier;
  /** Gives nodes that the verifier does not have, perhaps with others around them. */
  readonly loadNodes?: (
    missing: readonly NodeRange[],
    signal?: AbortSignal,
  ) => Promise<readonly OutboardNodes[]>;
};

/** Throws `CastoreError` (`corrupt`) for what cannot be verified. Disposing of it disposes of `inner`. */
export class VerifiedReader implements BlobReader {
  readonly size: number;
  readonly #options: VerifiedReaderOptions;

  constructor(options: VerifiedReaderOptions) {
    this.#options = options;
    this.size = options.verifier.size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const start = Math.min(offset, this.size);
    const end = Math.min(offset + length, this.size);
    const range = groupRange(this.size, start, end);
    const bytes = await this.#options.inner.read(range.start, range.end - range.start, signal);
    await this.#verify(range.first, bytes, signal);
    if (bytes.length !== range.end - range.start) throw this.#wrongLength();
    return bytes.subarray(start - range.start, end - range.start);
  }

  async *stream(wanted: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const start = Math.min(wanted.start ?? 0, this.size);
    const end = Math.max(start, Math.min(wanted.end ?? this.size, this.size));
    const range = groupRange(this.size, start, end);
    const inner = this.#options.inner.stream({ start: range.start, end: range.end }, signal);
    let position = range.start;
    for await (const groups of wholeGroups(inner)) {
      if (position + groups.length > range.end) throw this.#wrongLength();
      await this.#verify(position / chunkGroupSize, groups, signal);
      const from = Math.max(0, start - position);
      const to = Math.min(groups.length, end - position);
      position += groups.length;
      if (from < to) yield groups.subarray(from, to);
    }
    if (position !== range.end) throw this.#wrongLength();
    // The stream of an empty range has no piece that would prove it.
    if (range.start === range.end) await this.#verify(range.first, new Uint8Array(), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.inner[Symbol.asyncDispose]();
  }

  async #verify(firstGroup: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { verifier, loadNodes } = this.#options;
    if (loadNodes !== undefined) {
      const start = firstGroup * chunkGroupSize;
      const missing = verifier.missing(start, start + bytes.length);
      if (missing.length > 0) {
        for (const nodes of await loadNodes(missing, signal)) verifier.add(nodes.first, nodes.bytes);
      }
    }
    verifier.verify(firstGroup, bytes);
  }

  #wrongLength(): CastoreError {
    const digest = this.#options.digest.toString();
    return new CastoreError('corrupt', `other bytes are given for blob ${digest} than were asked for`);
  }
}

/** The same bytes in pieces that are multiples of a group, but for the last one. */
async function* wholeGroups(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const carry = new Uint8Array(chunkGroupSize);
  let carried = 0;
  for await (const piece of pieces) {
    let rest = piece;
    if (carried > 0) {
      const taken = rest.subarray(0, chunkGroupSize - carried);
      carry.set(taken, carried);
      carried += taken.length;
      rest = rest.subarray(taken.length);
      if (carried < chunkGroupSize) continue;
      yield carry;
      carried = 0;
    }
    const whole = rest.length - (rest.length % chunkGroupSize);
    if (whole > 0) yield rest.subarray(0, whole);
    carry.set(rest.subarray(whole));
    carried = rest.length - whole;
  }
  if (carried > 0) yield carry.subarray(0, carried);
}
