/** Numbers as those of OpenTelemetry's SDK, which adds them up and sends them at intervals. */
import type { Meter, ObservableGauge, ObservableResult } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import type { Instrument, MetricReceiver, Observation } from '@neve/telemetry';
import type { Attributes } from '@neve/telemetry';
import { defined } from './otlp-tracer.ts';

export type OtlpMetricsOptions = {
  readonly resource: Resource;
  readonly reader: MetricReader;
  readonly version: string;
};

type Adding = { add(value: number, attributes: ReturnType<typeof defined>): void };
type Recording = { record(value: number, attributes: ReturnType<typeof defined>): void };

/** Seconds; what Neve does takes from microseconds to hours. */
const secondBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

export class OtlpMetrics implements MetricReceiver, AsyncDisposable {
  readonly #provider: MeterProvider;
  readonly #meter: Meter;
  readonly #counters = new Map<string, Adding>();
  readonly #histograms = new Map<string, Recording>();
  readonly #gauges = new Map<string, ObservableGauge>();

  constructor({ resource, reader, version }: OtlpMetricsOptions) {
    this.#provider = new MeterProvider({ resource, readers: [reader] });
    this.#meter = this.#provider.getMeter('neve', version);
  }

  add(instrument: Instrument, value: number, attributes: Attributes): void {
    made(this.#counters, instrument, ({ kind, name, unit, description }) =>
      kind === 'counter'
        ? this.#meter.createCounter(name, { unit, description })
        : this.#meter.createUpDownCounter(name, { unit, description }),
    ).add(value, defined(attributes));
  }

  record(instrument: Instrument, value: number, attributes: Attributes): void {
    made(this.#histograms, instrument, ({ name, unit, description }) =>
      this.#meter.createHistogram(name, {
        ...{ unit, description },
        ...(unit === 's' && { advice: { explicitBucketBoundaries: secondBoundaries } }),
      }),
    ).record(value, defined(attributes));
  }

  observe(instrument: Instrument, read: () => readonly Observation[]): Disposable {
    const gauge = made(this.#gauges, instrument, ({ name, unit, description }) =>
      this.#meter.createObservableGauge(name, { unit, description }),
    );
    const observe = (result: ObservableResult): void => {
      for (const { value, attributes = {} } of read()) result.observe(value, defined(attributes));
    };
    gauge.addCallback(observe);
    return { [Symbol.dispose]: () => gauge.removeCallback(observe) };
  }

  flush(): Promise<void> {
    return this.#provider.forceFlush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }
}

function made<T>(all: Map<string, T>, instrument: Instrument, make: (instrument: Instrument) => T): T {
  const known = all.get(instrument.name);
  if (known !== undefined) return known;
  const fresh = make(instrument);
  all.set(instrument.name, fresh);
  return fresh;
}
