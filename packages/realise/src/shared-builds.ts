/**
 * Builds that several realisers of one process want at the same time: one of them begins, the others join, and all get the
 * log and the result. A build belongs to nobody: it goes on as long as somebody waits for it, and is ended with the last.
 *
 * Who wants a build that nobody runs takes the turn for its key, which others wait for; whoever has the turn starts the build,
 * or gives the turn up for reasons of its own.
 */
import { abortable } from '@neve/castore';
import type { PathInfo } from '@neve/store';

type Outputs = ReadonlyMap<string, PathInfo>;

export type JoinOptions = {
  /** Gets what was printed so far, then what is printed. */
  readonly onLog: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
};

/** `settle` is called when the build has ended in whatever way, before anybody hears of it. */
export type StartOptions = {
  readonly build: (options: {
    readonly onLog: (bytes: Uint8Array) => void;
    readonly signal: AbortSignal;
  }) => Promise<Outputs>;
  readonly settle: () => Promise<void>;
};

/** So much of the log is kept for who joins later, in bytes: its end. */
const maxKeptLog = 4 * 1024 * 1024;

export class SharedBuilds {
  readonly #running = new Map<string, SharedBuild>();
  readonly #turns = new Map<string, Promise<void>>();

  /** The build to join, if it is still open then, or the turn to start one. */
  async take(key: string, signal?: AbortSignal): Promise<SharedBuild | BuildTurn> {
    while (true) {
      signal?.throwIfAborted();
      const running = this.#running.get(key);
      if (running?.isOpen === true) return running;
      const busy = running?.ended ?? this.#turns.get(key);
      if (busy === undefined) return this.#turn(key);
      // oxlint-disable-next-line no-await-in-loop -- looks again after it
      await abortable(busy, signal);
    }
  }

  #turn(key: string): BuildTurn {
    let wake: () => void = () => undefined;
    this.#turns.set(key, new Promise<void>((fulfil) => (wake = fulfil)));
    const giveUp = (): void => {
      this.#turns.delete(key);
      wake();
    };
    return {
      kind: 'turn',
      start: (options) => {
        const build = new SharedBuild(options);
        this.#running.set(key, build);
        void build.ended.then(() => this.#running.delete(key));
        return build;
      },
      [Symbol.dispose]: giveUp,
    };
  }
}

/** Disposing of it lets the next one in; a build that was started is joined then. */
export type BuildTurn = Disposable & {
  readonly kind: 'turn';
  start(options: StartOptions): SharedBuild;
};

export class SharedBuild {
  readonly kind = 'build';
  /** Fulfilled when nothing of it goes on any more. */
  readonly ended: Promise<void>;
  readonly #result: Promise<Outputs>;
  readonly #abortion = new AbortController();
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  #log: Uint8Array[] = [];
  #logBytes = 0;

  constructor(options: StartOptions) {
    this.#result = this.#run(options);
    this.ended = this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Whether it can be joined, now: it is not being ended. */
  get isOpen(): boolean {
    return !this.#abortion.signal.aborted;
  }

  /** Throws what the build throws, or the reason of the signal: then nothing goes on that only this one wanted. */
  async join({ onLog, signal }: JoinOptions): Promise<Outputs> {
    for (const bytes of this.#log) onLog(bytes);
    const listener = (bytes: Uint8Array): void => onLog(bytes);
    this.#listeners.add(listener);
    const leave = (): void => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#abortion.abort(signal?.reason);
    };
    // At once, so that nobody joins what is about to be ended.
    if (signal?.aborted === true) leave();
    else signal?.addEventListener('abort', leave, { once: true });
    try {
      return await abortable(this.#result, signal);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#listeners.delete(listener);
      if (!this.isOpen) await this.ended;
    }
  }

  async #run({ build, settle }: StartOptions): Promise<Outputs> {
    try {
      return await build({ onLog: (bytes) => this.#tell(bytes), signal: this.#abortion.signal });
    } finally {
      await settle();
    }
  }

  #tell(bytes: Uint8Array): void {
    const kept = bytes.slice();
    this.#log.push(kept);
    this.#logBytes += kept.length;
    while (this.#logBytes > maxKeptLog) this.#logBytes -= this.#log.shift()?.length ?? 0;
    for (const listener of this.#listeners) listener(kept);
  }
}
