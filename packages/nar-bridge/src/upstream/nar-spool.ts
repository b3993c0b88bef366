/**
 * The bytes of a NAR that is on its way, for any number of readers: each begins at the start and follows as fast as it can,
 * and none holds up the others or the download. Where the bytes lie is a matter of `SpoolFile`.
 *
 * Nobody knows before the end whether a NAR is right. So its last byte is kept back until `finish`, and a NAR that is wrong
 * ends with an error: a reader never has all of something that is wrong.
 */
import { StoreError } from '@neve/store';

/** Bytes in a place of their own, which is gone when it is disposed of. Methods throw `StoreError` (`io`). */
export interface SpoolFile extends AsyncDisposable {
  append(bytes: Uint8Array): Promise<void>;
  /** Up to `length` bytes, at least one; they are there. */
  read(position: number, length: number): Promise<Uint8Array>;
}

const pieceBytes = 1 << 18;

type State =
  | { readonly kind: 'filling' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'failed'; readonly error: unknown };

export class NarSpool implements AsyncDisposable {
  readonly size: number;
  readonly #file: SpoolFile;
  #written = 0;
  #state: State = { kind: 'filling' };
  #holders = 0;
  /** Fulfilled when something has changed. */
  #change: Change = nextChange();
  readonly #idle: () => void;
  #isClosed = false;

  /** `size` is what the NAR will have. `onIdle` is called whenever the last who held it has gone. The file goes with the spool. */
  constructor(file: SpoolFile, { size, onIdle }: { readonly size: number; readonly onIdle: () => void }) {
    this.#file = file;
    this.size = size;
    this.#idle = onIdle;
  }

  get isEmpty(): boolean {
    return this.#written === 0;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#state.kind !== 'filling') return;
    if (this.#written + bytes.length > this.size) {
      this.fail(new StoreError('corrupt', `the NAR has more than ${this.size} bytes`));
      return;
    }
    try {
      await this.#file.append(bytes);
    } catch (error) {
      // Who reads from here cannot go on; whoever stores the NAR elsewhere can.
      this.fail(error);
      return;
    }
    this.#written += bytes.length;
    this.#tell();
  }

  /** The NAR was right. */
  finish(): void {
    if (this.#state.kind !== 'filling') return;
    if (this.#written === this.size) this.#state = { kind: 'whole' };
    else this.#state = { kind: 'failed', error: new StoreError('corrupt', 'the NAR is not all there') };
    this.#tell();
  }

  fail(error: unknown): void {
    if (this.#state.kind === 'filling') this.#state = { kind: 'failed', error };
    this.#tell();
  }

  /** Fulfilled when there is something to read or the NAR is whole; throws when it failed before. */
  async started(signal?: AbortSignal): Promise<void> {
    while (this.#state.kind === 'filling' && this.#written === 0) await this.#changed(signal);
    if (this.#state.kind === 'failed' && this.#written === 0) throw this.#state.error;
  }

  /** From the first byte to the last. Holds the spool until it ends or is left. */
  async *read(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    let position = 0;
    using _held = this.hold();
    while (position < this.size) {
      signal?.throwIfAborted();
      const available = this.#available();
      if (available > position) {
        const bytes = await this.#file.read(position, Math.min(pieceBytes, available - position));
        position += bytes.length;
        yield bytes;
      } else if (this.#state.kind === 'failed') throw this.#state.error;
      else await this.#changed(signal);
    }
  }

  /** Somebody wants it, until it is disposed of. */
  hold(): Disposable {
    this.#holders++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holders--;
        if (this.#holders === 0) this.#idle();
        this.#tell();
      },
    };
  }

  /** Fulfilled when nobody holds it. */
  async released(): Promise<void> {
    while (this.#holders > 0) await this.#changed(undefined);
  }

  /** Whether it can still be read. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.fail(new StoreError('io', 'the server ends'));
    await this.#file[Symbol.asyncDispose]();
  }

  #available(): number {
    return this.#state.kind === 'whole' ? this.size : Math.min(this.#written, this.size - 1);
  }

  async #changed(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (signal === undefined) return this.#change.promise;
    const { promise, resolve } = nextChange();
    signal.addEventListener('abort', resolve, { once: true });
    try {
      await Promise.race([this.#change.promise, promise]);
    } finally {
      signal.removeEventListener('abort', resolve);
    }
    signal.throwIfAborted();
  }

  #tell(): void {
    const { resolve } = this.#change;
    this.#change = nextChange();
    resolve();
  }
}

type Change = { readonly promise: Promise<void>; readonly resolve: () => void };

function nextChange(): Change {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}

/** For tests, and servers without files. */
export function memorySpoolFile(): SpoolFile {
  const pieces: Uint8Array[] = [];
  let starts = 0;
  const offsets: number[] = [];
  return {
    async append(bytes) {
      offsets.push(starts);
      pieces.push(bytes.slice());
      starts += bytes.length;
    },
    async read(position, length) {
      const index = offsets.findLastIndex((it) => it <= position);
      const start = position - (offsets[index] ?? 0);
      return pieces[index]?.subarray(start, start + length) ?? new Uint8Array();
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
