/**
 * What waits to be sent, of limited length; more is dropped. It is sent when a batch is full or some time has passed, one batch
 * after another.
 */
import type { Exporter } from './exporter.ts';
import type { BatchSettings } from './otlp-settings.ts';

export class BatchQueue<T> {
  readonly #exporter: Exporter<T>;
  readonly #settings: BatchSettings;
  #waiting: T[] = [];
  #sending: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(exporter: Exporter<T>, settings: BatchSettings) {
    this.#exporter = exporter;
    this.#settings = settings;
  }

  push(item: T): void {
    const { maxQueueSize, maxExportBatchSize, scheduledDelayMillis } = this.#settings;
    if (this.#waiting.length >= maxQueueSize) return;
    this.#waiting.push(item);
    if (this.#sending !== undefined) return;
    if (this.#waiting.length === maxExportBatchSize) this.#schedule(0);
    else if (this.#timer === undefined) this.#schedule(scheduledDelayMillis);
  }

  /** Sends what is left, without patience; whether all of it was taken. Nothing may be pushed afterwards. */
  async end(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#exporter.hurry();
    const isSent = (await this.#sending) ?? true;
    const isRestSent = await this.#sendAll();
    return isSent && isRestSent;
  }

  /** Ends connections: what has not been sent is lost. */
  close(): void {
    this.#exporter.close();
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending ??= this.#sendFull().finally(() => {
        this.#sending = undefined;
        if (this.#waiting.length > 0) this.#schedule(this.#settings.scheduledDelayMillis);
      });
    }, delayMs);
    this.#timer.unref();
  }

  /** What waits, and what comes meanwhile as far as it fills batches. */
  async #sendFull(): Promise<boolean> {
    let isSent = await this.#sendOne();
    while (isSent && this.#waiting.length >= this.#settings.maxExportBatchSize)
      isSent = await this.#sendOne();
    return isSent;
  }

  async #sendAll(): Promise<boolean> {
    while (this.#waiting.length > 0) {
      // The next one would fare no better.
      if (!(await this.#sendOne())) return false;
    }
    return true;
  }

  async #sendOne(): Promise<boolean> {
    return await this.#exporter.send(this.#waiting.splice(0, this.#settings.maxExportBatchSize));
  }
}
