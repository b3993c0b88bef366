/** Metrics as OTLP has them (opentelemetry-proto 1.x, metrics.proto: `Metric` and its points). */
import type { Attributes, Instrument } from '@neve/telemetry';
import type { MessageWriter } from './message-writer.ts';
import { writeAttributes } from './otlp-request.ts';

/** An instrument, and what it says for each set of attributes. Times are milliseconds since 1970. */
export type MetricData = {
  readonly instrument: Instrument;
  /** Points say what has come since the last request, and not since the beginning. */
  readonly isDelta: boolean;
  readonly startMs: number;
  readonly timeMs: number;
  readonly points: readonly MetricPoint[];
};

export type MetricPoint =
  | { readonly kind: 'number'; readonly attributes: Attributes; readonly value: number }
  | ({ readonly kind: 'distribution'; readonly attributes: Attributes } & Distribution);

/** `counts` has one item more than `bounds`: values up to the first bound, up to the second, …, above the last. */
export type Distribution = {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly most: number;
};

/** The field of a metric that has its points, which says what kind it is. */
const dataField = { gauge: 5, counter: 7, 'up-down-counter': 7, histogram: 9 } as const;

const temporality = { delta: 1, cumulative: 2 } as const;

/** The fields of a metric. */
export function writeMetric(writer: MessageWriter, metric: MetricData): void {
  const { instrument, isDelta, points } = metric;
  const { kind, name, unit, description } = instrument;
  writer.text(1, name);
  writer.text(2, description);
  writer.text(3, unit);
  const data = writer.begin(dataField[kind]);
  for (const point of points) {
    const mark = writer.begin(1);
    writePoint(writer, metric, point);
    writer.end(mark);
  }
  if (kind !== 'gauge') writer.integer(2, isDelta ? temporality.delta : temporality.cumulative);
  if (kind === 'counter') writer.integer(3, 1);
  writer.end(data);
}

// oxlint-disable-next-line eslint/max-params -- a point, and of what
function writePoint(writer: MessageWriter, { startMs, timeMs }: MetricData, point: MetricPoint): void {
  writer.time(2, startMs);
  writer.time(3, timeMs);
  if (point.kind === 'number') {
    writer.double(4, point.value);
    writeAttributes(writer, 7, point.attributes);
    return;
  }
  writer.fixed64(4, point.count);
  writer.double(5, point.sum);
  writer.fixed64s(6, point.counts);
  writer.doubles(7, point.bounds);
  writeAttributes(writer, 9, point.attributes);
  writer.double(11, point.least);
  writer.double(12, point.most);
}
