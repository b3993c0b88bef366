/**
 * Metrics: how much, how many, how long. An instrument is a constant of the file that measures with it; what receives
 * numbers (OpenTelemetry's SDK) is set for the process as the tracing is, under a registered symbol, since each of several
 * bundles has its own instruments, which their names make one. Nothing is computed while nobody listens.
 */
import type { Attributes } from './span.ts';

export type InstrumentKind = 'counter' | 'up-down-counter' | 'histogram' | 'gauge';

export type InstrumentOptions = {
  /** As UCUM writes it: `s`, `By`, `{request}`. */
  readonly unit: string;
  readonly description: string;
};

/** What a receiver knows of an instrument; one of a name. */
export type Instrument = InstrumentOptions & { readonly kind: InstrumentKind; readonly name: string };

/** Receives numbers. It never throws, and what it does later never fails the work. */
export interface MetricReceiver {
  /** To what a counter says already. */
  add(instrument: Instrument, value: number, attributes: Attributes): void;
  /** One of a distribution. */
  record(instrument: Instrument, value: number, attributes: Attributes): void;
  /** `read` is called whenever numbers are sent, until the result is disposed of. */
  observe(instrument: Instrument, read: () => readonly Observation[]): Disposable;
}

export type Observation = { readonly value: number; readonly attributes?: Attributes };

const key: unique symbol = Symbol.for('neve.telemetry.metrics');

type Holder = { [key]?: MetricReceiver | undefined };

/** Undefined ends it. */
export function setMetrics(receiver: MetricReceiver | undefined): void {
  (globalThis as Holder)[key] = receiver;
}

/** Undefined while nobody listens. */
export function currentMetrics(): MetricReceiver | undefined {
  return (globalThis as Holder)[key];
}

/** What can be added to: only upwards for a counter. */
export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

/** What is read when numbers are sent. Without a receiver it never is. */
export interface Gauge {
  observe(read: () => readonly Observation[]): Disposable;
}

export function counter(name: string, options: InstrumentOptions): Counter {
  return adding({ kind: 'counter', name, ...options });
}

export function upDownCounter(name: string, options: InstrumentOptions): Counter {
  return adding({ kind: 'up-down-counter', name, ...options });
}

export function histogram(name: string, options: InstrumentOptions): Histogram {
  const instrument: Instrument = { kind: 'histogram', name, ...options };
  return { record: (value, attributes = {}) => currentMetrics()?.record(instrument, value, attributes) };
}

export function gauge(name: string, options: InstrumentOptions): Gauge {
  const instrument: Instrument = { kind: 'gauge', name, ...options };
  return {
    observe: (read) => currentMetrics()?.observe(instrument, read) ?? { [Symbol.dispose]: () => undefined },
  };
}

function adding(instrument: Instrument): Counter {
  return { add: (value, attributes = {}) => currentMetrics()?.add(instrument, value, attributes) };
}
