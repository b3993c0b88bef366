/** What happens in a session, told to its caller; and how long builds take, kept for the next ones. */
import type { StoreDirectory } from '@neve/nix-compat';
import type { RealiseEvent } from '@neve/realise';
import type { Caller } from '../caller.ts';
import type { BuildTimes } from './build-times.ts';
import { type RealiseProgress, nameOfPath } from './progress-event.ts';
import { type ProgressContext, progressOf } from './realise-progress.ts';

export type SessionProgressOptions = {
  readonly storeDirectory: StoreDirectory;
  readonly caller: Pick<Caller, 'report'>;
  readonly times: BuildTimes;
  /** Ends everything: what is under way then has not failed by itself. */
  readonly signal: AbortSignal;
};

export class SessionProgress implements AsyncDisposable {
  readonly #options: SessionProgressOptions;
  readonly #context: ProgressContext;
  readonly #startedMs = new Map<string, number>();

  constructor(options: SessionProgressOptions) {
    this.#options = options;
    const { storeDirectory, times } = options;
    this.#context = {
      storeDirectory,
      expectedMs: ({ baseName }) => times.expectedMs(nameOfPath(baseName)),
    };
  }

  take(event: RealiseEvent): void {
    const progress = progressOf(event, this.#context);
    if (progress !== undefined) this.#options.caller.report(this.#orStopped(progress));
    if (event.kind === 'build-started') {
      this.#startedMs.set(event.derivation.hashPart, performance.now());
    } else if (event.kind === 'build-ended') this.#record(event);
  }

  #orStopped(progress: RealiseProgress): RealiseProgress {
    if (progress.kind !== 'build-failed' || !this.#options.signal.aborted) return progress;
    return { ...progress, kind: 'build-refused' };
  }

  /** Keeps what was learned. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.times.save();
  }

  /** A build that failed says little about one that does not. */
  #record({ derivation, error }: Extract<RealiseEvent, { readonly kind: 'build-ended' }>): void {
    const startedMs = this.#startedMs.get(derivation.hashPart);
    this.#startedMs.delete(derivation.hashPart);
    if (error !== undefined || startedMs === undefined) return;
    this.#options.times.record(nameOfPath(derivation.baseName), performance.now() - startedMs);
  }
}
