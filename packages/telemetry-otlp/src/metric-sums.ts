/**
 * Numbers, added up until they are sent: one sum or distribution for each instrument and set of attributes. An instrument has
 * 2000 sets at most, the last of which takes what is left (`otel.metric.overflow`), as OpenTelemetry's specification wants it.
 */
import type { Attributes, Instrument, MetricReceiver, Observation } from '@neve/telemetry';
import type { MetricData, MetricPoint } from './metric-encoding.ts';

const maxSets = 2000;
const overflow: Attributes = { 'otel.metric.overflow': true };

/** Seconds; what Neve does takes from microseconds to hours. */
const secondBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];
/** Those of the specification. */
const otherBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

type Series = { readonly instrument: Instrument; readonly sets: Map<string, Sum | Spread>; startMs: number };
type Sum = { readonly kind: 'number'; readonly attributes: Attributes; value: number };
type Spread = {
  readonly kind: 'distribution';
  readonly attributes: Attributes;
  readonly bounds: readonly number[];
  readonly counts: number[];
  count: number;
  sum: number;
  least: number;
  most: number;
};

type Observed = {
  readonly instrument: Instrument;
  readonly startMs: number;
  readonly reads: Set<() => readonly Observation[]>;
};

export class MetricSums implements MetricReceiver {
  readonly #isDelta: boolean;
  readonly #series = new Map<string, Series>();
  readonly #observed = new Map<string, Observed>();

  /** `isDelta`: counters and distributions begin anew when they have been collected. */
  constructor({ isDelta }: { readonly isDelta: boolean }) {
    this.#isDelta = isDelta;
  }

  add(instrument: Instrument, value: number, attributes: Attributes): void {
    const sum = this.#setOf(instrument, attributes, (kept) => ({
      kind: 'number',
      attributes: kept,
      value: 0,
    }));
    if (sum.kind === 'number') sum.value += value;
  }

  record(instrument: Instrument, value: number, attributes: Attributes): void {
    const spread = this.#setOf(instrument, attributes, (kept) => newSpread(instrument, kept));
    if (spread.kind !== 'distribution') return;
    const above = spread.bounds.findIndex((bound) => value <= bound);
    const bucket = above === -1 ? spread.bounds.length : above;
    spread.counts[bucket] = (spread.counts[bucket] ?? 0) + 1;
    spread.count++;
    spread.sum += value;
    spread.least = Math.min(spread.least, value);
    spread.most = Math.max(spread.most, value);
  }

  observe(instrument: Instrument, read: () => readonly Observation[]): Disposable {
    const observed = this.#observed.get(instrument.name) ?? {
      instrument,
      startMs: Date.now(),
      reads: new Set(),
    };
    this.#observed.set(instrument.name, observed);
    // The same function may read for two.
    const own = (): readonly Observation[] => read();
    observed.reads.add(own);
    return { [Symbol.dispose]: () => void observed.reads.delete(own) };
  }

  /** What there is to say now, in milliseconds since 1970. */
  collect(timeMs: number): MetricData[] {
    const collected: MetricData[] = [];
    for (const series of this.#series.values()) {
      const { instrument, sets, startMs } = series;
      const isDelta = this.#isDelta && instrument.kind !== 'up-down-counter';
      const points = Array.from(sets.values(), snapshot);
      if (points.length > 0) collected.push({ instrument, isDelta, startMs, timeMs, points });
      if (!isDelta) continue;
      sets.clear();
      series.startMs = timeMs;
    }
    for (const { instrument, startMs, reads } of this.#observed.values()) {
      const points = [...reads].flatMap((read) => read()).map(pointOf);
      if (points.length > 0) collected.push({ instrument, isDelta: false, startMs, timeMs, points });
    }
    return collected;
  }

  // oxlint-disable-next-line eslint/max-params -- of what, and how it begins
  #setOf(
    instrument: Instrument,
    attributes: Attributes,
    begin: (attributes: Attributes) => Sum | Spread,
  ): Sum | Spread {
    let series = this.#series.get(instrument.name);
    if (series === undefined) {
      series = { instrument, sets: new Map(), startMs: Date.now() };
      this.#series.set(instrument.name, series);
    }
    const key = keyOf(attributes);
    const known = series.sets.get(key);
    if (known !== undefined) return known;
    if (series.sets.size >= maxSets - 1 && attributes !== overflow) {
      return this.#setOf(instrument, overflow, begin);
    }
    const fresh = begin(attributes);
    series.sets.set(key, fresh);
    return fresh;
  }
}

/** The same for the same attributes, in whatever order. */
function keyOf(attributes: Attributes): string {
  const names = Object.keys(attributes);
  if (names.length > 1) names.sort();
  let key = '';
  for (const name of names) {
    if (attributes[name] !== undefined) key += `${name}\0${JSON.stringify(attributes[name])}\0`;
  }
  return key;
}

function newSpread({ unit }: Instrument, attributes: Attributes): Spread {
  const bounds = unit === 's' ? secondBounds : otherBounds;
  return {
    ...{
      kind: 'distribution',
      attributes,
      bounds,
      counts: Array.from({ length: bounds.length + 1 }, () => 0),
    },
    ...{ count: 0, sum: 0, least: Infinity, most: -Infinity },
  };
}

/** Sums go on while what was collected is sent. */
function snapshot(set: Sum | Spread): MetricPoint {
  return set.kind === 'number' ? { ...set } : { ...set, counts: [...set.counts] };
}

/** Of several that read the same attributes, all are told. */
function pointOf({ value, attributes = {} }: Observation): MetricPoint {
  return { kind: 'number', attributes, value };
}
