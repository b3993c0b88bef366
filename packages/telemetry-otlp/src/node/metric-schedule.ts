/** Sends numbers at intervals, and once at the end. */
import type { MetricData } from '../metric-encoding.ts';
import type { MetricSums } from '../metric-sums.ts';
import type { Exporter } from './exporter.ts';

export class MetricSchedule {
  readonly #sums: MetricSums;
  readonly #exporter: Exporter<MetricData>;
  readonly #timer: NodeJS.Timeout;
  #sending: Promise<boolean> | undefined;

  constructor(
    sums: MetricSums,
    { exporter, intervalMs }: { exporter: Exporter<MetricData>; intervalMs: number },
  ) {
    this.#sums = sums;
    this.#exporter = exporter;
    this.#timer = setInterval(() => {
      // A collector that takes longer than an interval gets the next numbers later.
      this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
    }, intervalMs);
    this.#timer.unref();
  }

  /** Sends the last numbers, without patience; whether they were taken. */
  async end(): Promise<boolean> {
    clearInterval(this.#timer);
    this.#exporter.hurry();
    await this.#sending;
    return await this.#send();
  }

  close(): void {
    this.#exporter.close();
  }

  async #send(): Promise<boolean> {
    const metrics = this.#sums.collect(Date.now());
    return metrics.length === 0 || (await this.#exporter.send(metrics));
  }
}
