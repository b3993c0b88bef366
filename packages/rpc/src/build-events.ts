/**
 * What a build that is under way has to say, from when it is said until it is sent. A build is not slowed down by whoever
 * reads its log, so that what waits is bounded by ending a build whose log nobody takes.
 */
import { BuildError, type BuildResult } from '@neve/build';
import { concatBytes } from '@neve/bytes';

export type BuildEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'log'; readonly bytes: Uint8Array }
  | { readonly kind: 'result'; readonly result: BuildResult }
  /** A sign of life: nothing else has happened for some time. */
  | { readonly kind: 'alive' };

export type BuildEventsOptions = {
  /** Called when too much waits, with the reason to end the build for. */
  readonly onOverflow: (error: BuildError) => void;
  /** In bytes of the log. 64 MiB. */
  readonly maxWaiting?: number | undefined;
  /** How long nothing may be said. 30 seconds. */
  readonly aliveMs?: number | undefined;
};

const defaultMaxWaiting = 64 * 1024 * 1024;
const defaultAliveMs = 30_000;

/** What a piece of the log costs besides its bytes. */
const pieceOverhead = 128;

/** Of the log in one event, unless a single piece has more. */
const maxLogBytes = 64 * 1024;

type Outcome = { readonly result: BuildResult } | { readonly error: unknown };

export class BuildEvents {
  readonly #options: BuildEventsOptions;
  /** A start, or pieces of the log. */
  #waiting: ('started' | Uint8Array)[] = [];
  #waitingBytes = 0;
  #outcome: Outcome | undefined;
  #wake: (() => void) | undefined;

  constructor(options: BuildEventsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#waiting.push('started');
    this.#wake?.();
  }

  log(bytes: Uint8Array): void {
    const { maxWaiting = defaultMaxWaiting, onOverflow } = this.#options;
    const cost = bytes.length + pieceOverhead;
    if (this.#waitingBytes + cost > maxWaiting) {
      const problem = `the build prints faster than its log is read: ${maxWaiting} bytes wait`;
      onOverflow(new BuildError('limit-exceeded', problem));
      return;
    }
    this.#waitingBytes += cost;
    this.#waiting.push(bytes.slice());
    this.#wake?.();
  }

  /** Nothing comes after it. */
  end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#wake?.();
  }

  /** Everything in order; throws what the build threw. Only one may read. */
  async *read(): AsyncGenerator<BuildEvent, void, void> {
    while (true) {
      const taken = this.#waiting;
      this.#waiting = [];
      yield* this.#events(taken);
      if (this.#waiting.length > 0) continue;
      if (this.#outcome !== undefined) break;
      // oxlint-disable-next-line no-await-in-loop -- waits for what comes next
      if (!(await this.#somethingCame())) yield { kind: 'alive' };
    }
    // oxlint-disable-next-line typescript/only-throw-error -- it is what the build failed with
    if ('error' in this.#outcome) throw this.#outcome.error;
    yield { kind: 'result', result: this.#outcome.result };
  }

  *#events(taken: readonly ('started' | Uint8Array)[]): Generator<BuildEvent, void, void> {
    let pieces: Uint8Array[] = [];
    let size = 0;
    const flush = (): BuildEvent => {
      const bytes = concatBytes(pieces);
      this.#waitingBytes -= bytes.length + pieces.length * pieceOverhead;
      pieces = [];
      size = 0;
      return { kind: 'log', bytes };
    };
    for (const item of taken) {
      const isFull = item === 'started' || size + item.length > maxLogBytes;
      if (isFull && pieces.length > 0) yield flush();
      if (item === 'started') yield { kind: 'started' };
      else {
        pieces.push(item);
        size += item.length;
      }
    }
    if (pieces.length > 0) yield flush();
  }

  #somethingCame(): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#options.aliveMs ?? defaultAliveMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    }).finally(() => {
      this.#wake = undefined;
    });
  }
}
