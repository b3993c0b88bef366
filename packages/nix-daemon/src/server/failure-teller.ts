/** Tells a client of failures, those that others follow from first, and each once. */
import { RealiseError } from '@neve/realise';
import type { ClientLog } from './client-log.ts';

export class FailureTeller {
  readonly #log: ClientLog;
  readonly #told = new Set<Error>();

  constructor(log: ClientLog) {
    this.#log = log;
  }

  tell(error: Error): void {
    if (this.#told.has(error)) return;
    this.#told.add(error);
    this.tellNested(error);
    // What has failed instead is told.
    if (error instanceof RealiseError && error.code === 'given-up') return;
    this.#log.error(error.message);
  }

  /** What it follows from, and not itself. */
  tellNested(error: Error): void {
    if (error instanceof RealiseError) for (const failure of error.failures) this.tell(failure);
  }
}
