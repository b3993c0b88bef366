/**
 * Reads what comes over a connection: messages, and the streams between them, which are passed on piece by piece and never
 * gathered. Reading never runs ahead: what follows a message or a stream stays for the next one.
 *
 * A stream must be taken to its end before anything else is read; `skip` of it does that for a consumer who has given up.
 * After an error, and when a consumer left a stream half-way, the connection is out of step: every read throws.
 */
import { NarParser, type NarVisitor } from '../nar-parser.ts';
import { defaultNarDepth } from '../nar-limits.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import { cutOff, reading } from './wire-codec.ts';
import type { WireCodec, WireContext } from './wire-codec.ts';
import { type Reading, WireInput, type WireLimits } from './wire-input.ts';

/** Views of the pieces that came, none empty. */
export interface WireStream extends AsyncIterable<Uint8Array> {
  /** Takes what is left, so that the connection is in step again. */
  skip(): Promise<void>;
}

export type NarStreamOptions = {
  /** How deep an object may lie below the root; 1000 unless given. */
  readonly maxDepth?: number;
};

export class WireReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #input: WireInput;
  #state: 'ready' | 'busy' | 'broken' = 'ready';
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>, limits: WireLimits = {}) {
    this.#source = source[Symbol.asyncIterator]();
    this.#input = new WireInput(limits);
  }

  /** Bytes that have come and were not read yet. */
  get available(): number {
    return this.#input.available;
  }

  /** Whether the other side has ended and everything is read. Waits for the next byte. */
  async atEnd(): Promise<boolean> {
    this.#checkReady();
    return !(await this.#fill());
  }

  /** Reads a message. Throws `NixCompatError`, which says `what` could not be read. */
  async read<T>(what: string, codec: WireCodec<T>, context: WireContext): Promise<T> {
    this.#checkReady();
    this.#input.startMessage();
    this.#state = 'busy';
    try {
      const value = await this.#run(reading(what, codec.read(this.#input, context)));
      this.#state = 'ready';
      return value;
    } catch (error) {
      this.#state = 'broken';
      throw error;
    }
  }

  /** The next `size` bytes. */
  bytes(size: number): WireStream {
    return this.#stream(this.#takeBytes(size));
  }

  /** Frames, each a length and so many bytes, until one has none. The length of a frame is not limited: it is passed on. */
  frames(): WireStream {
    return this.#stream(this.#takeFrames());
  }

  /** A NAR that stands on the connection as it is. It is checked on the way, since only its content tells its end. */
  nar(options: NarStreamOptions = {}): WireStream {
    return this.#stream(this.#takeNar(options));
  }

  /** Ends the source. */
  async close(): Promise<void> {
    this.#state = 'broken';
    await this.#source.return?.();
  }

  async #run<T>(under: Reading<T>): Promise<T> {
    let step = under.next();
    while (step.done !== true) step = (await this.#fill()) ? under.next() : under.throw(cutOff());
    return step.value;
  }

  /** Whether there is a byte at hand, after waiting for one. */
  async #fill(): Promise<boolean> {
    while (this.#input.available === 0) {
      if (this.#ended) return false;
      const step = await this.#source.next();
      if (step.done === true) this.#ended = true;
      else if (step.value.length > 0) this.#input.push(step.value);
    }
    return true;
  }

  #stream(pieces: AsyncGenerator<Uint8Array, void, undefined>): WireStream {
    this.#checkReady();
    this.#state = 'busy';
    const whole = this.#guard(pieces);
    return {
      [Symbol.asyncIterator]: () => ({ next: () => whole.next() }),
      skip: async () => {
        while ((await whole.next()).done !== true);
      },
    };
  }

  /** Notes how the stream ended. */
  async *#guard(
    pieces: AsyncGenerator<Uint8Array, void, undefined>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* pieces;
      this.#state = 'ready';
    } catch (error) {
      this.#state = 'broken';
      throw error;
    }
  }

  async *#takeBytes(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = size; left > 0;) {
      if (!(await this.#fill())) throw cutOff();
      const piece = this.#input.take(left);
      left -= piece.length;
      yield piece;
    }
  }

  async *#takeFrames(): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      this.#input.startMessage();
      const length = await this.#run(reading('length of a frame', this.#input.readNumber(0xffff_ffff)));
      if (length === 0) return;
      yield* this.#takeBytes(length);
    }
  }

  async *#takeNar({
    maxDepth = defaultNarDepth,
  }: NarStreamOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const parser = new NarParser(nobody, { maxDepth, stopAtEnd: true });
    while (!parser.done) {
      if (!(await this.#fill())) throw cutOff();
      const piece = this.#input.take(this.#input.available);
      const taken = parser.push(piece);
      if (taken < piece.length) this.#input.push(piece.subarray(taken));
      yield piece.subarray(0, taken);
    }
  }

  #checkReady(): void {
    if (this.#state === 'ready') return;
    throw new NixCompatError(
      'bad-message',
      this.#state === 'busy'
        ? 'the connection is in the middle of something else'
        : 'the connection is out of step after an error; open a new one',
    );
  }
}

/** Takes part in nothing. */
const nobody: NarVisitor = {
  startRegular: ignore,
  contents: ignore,
  endRegular: ignore,
  symlink: ignore,
  startDirectory: ignore,
  entry: ignore,
  endDirectory: ignore,
};

function ignore(): void {
  // What an archive holds is for whoever takes its bytes.
}
