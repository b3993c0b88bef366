/**
 * The contents of one file in a tar archive, read straight from the archive's stream. They can be read once, and only
 * until the reader goes on to its next member. Holes are yielded as pieces of one buffer of zeroes, so that a file of
 * any size costs no memory.
 */
import { CastoreError } from '../castore-error.ts';
import type { ByteSource } from './byte-source.ts';
import type { SparseMap } from './sparse-map.ts';

/** The longest piece of a hole. */
const zeroes = new Uint8Array(1 << 16);

const done: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };

type TarContentsOptions = {
  readonly input: ByteSource;
  /** How many bytes the archive has of the file. */
  readonly dataBytes: number;
  readonly map: SparseMap | undefined;
  /** For messages. */
  readonly member: string;
};

export class TarContents implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly member: string;
  readonly #input: ByteSource;
  readonly #map: SparseMap;
  /** Where in the file the next byte is, and which part of the map it is in or before. */
  #position = 0;
  #part = 0;
  #remainingBytes: number;
  #state: 'fresh' | 'open' | 'left' = 'fresh';

  constructor({ input, dataBytes, map, member }: TarContentsOptions) {
    this.#input = input;
    this.#map = map ?? { sizeBytes: dataBytes, parts: [0, dataBytes] };
    this.#remainingBytes = dataBytes;
    this.member = member;
  }

  [Symbol.asyncIterator](): this {
    if (this.#state === 'open') throw new Error(`the contents of ${this.member} can be read only once`);
    if (this.#state === 'fresh') this.#state = 'open';
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'left') {
      return Promise.reject(
        new Error(`the contents of ${this.member} were read after the next member was asked for`),
      );
    }
    const length = this.#dataHere();
    if (length <= 0) return Promise.resolve(this.#hole(-length));
    const piece = this.#input.takeSome(length);
    return piece === undefined ? this.#wait(length) : Promise.resolve(this.#data(piece));
  }

  /** The reader passes over what is left. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    return Promise.resolve(done);
  }

  /** Ends reading; how many bytes of the archive were not read. */
  leave(): number {
    this.#state = 'left';
    return this.#remainingBytes;
  }

  /** Bytes of data from here to the end of their part; or, negative, of the hole before the next; 0 at the end. */
  #dataHere(): number {
    const { sizeBytes, parts } = this.#map;
    while (this.#part < parts.length) {
      const offset = parts[this.#part] as number;
      if (this.#position < offset) return this.#position - offset;
      const end = offset + (parts[this.#part + 1] as number);
      if (this.#position < end) return end - this.#position;
      this.#part += 2;
    }
    return Math.min(this.#position - sizeBytes, 0);
  }

  #hole(length: number): IteratorResult<Uint8Array, undefined> {
    if (length === 0) return done;
    const piece = zeroes.subarray(0, Math.min(length, zeroes.length));
    this.#position += piece.length;
    return { done: false, value: piece };
  }

  async #wait(length: number): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = await this.#input.some(length);
    if (piece !== undefined) return this.#data(piece);
    throw new CastoreError('invalid-archive', `the tar archive ends in the contents of ${this.member}`);
  }

  #data(piece: Uint8Array): IteratorResult<Uint8Array, undefined> {
    this.#position += piece.length;
    this.#remainingBytes -= piece.length;
    return { done: false, value: piece };
  }
}
