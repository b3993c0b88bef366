/** What OpenTelemetry's specification of metrics says of sums, distributions, temporality and limits. */
import { expect, test } from 'vitest';
import type { Instrument } from '@neve/telemetry';
import { MetricSums } from './metric-sums.ts';

const instrument = (kind: Instrument['kind'], unit = '{request}'): Instrument => ({
  ...{ kind, unit, name: kind, description: '' },
});

test('sums of each set of attributes, whatever their order', () => {
  const sums = new MetricSums({ isDelta: false });
  const counter = instrument('counter');
  sums.add(counter, 1, { a: '1', b: 2 });
  sums.add(counter, 2, { b: 2, a: '1', c: undefined });
  sums.add(counter, 5, { a: 1, b: 2 });
  const [metric] = sums.collect(1);
  expect(metric?.points.map((point) => ('value' in point ? point.value : undefined))).toEqual([3, 5]);
  // Cumulative: it goes on.
  sums.add(counter, 1, { a: '1', b: 2 });
  expect(sums.collect(2)[0]?.points[0]).toMatchObject({ value: 4 });
});

test('a bound belongs to the bucket below it', () => {
  const sums = new MetricSums({ isDelta: false });
  for (const value of [0, 0.001, 0.0011, 4000]) sums.record(instrument('histogram', 's'), value, {});
  const [point] = sums.collect(1)[0]?.points ?? [];
  expect(point).toMatchObject({ count: 4, sum: 4000.0021, least: 0, most: 4000 });
  expect(point !== undefined && 'counts' in point && point.counts).toEqual([
    ...[2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ]);
});

test('deltas begin anew, but not what goes up and down', () => {
  const sums = new MetricSums({ isDelta: true });
  sums.add(instrument('counter'), 2, {});
  sums.add(instrument('up-down-counter'), 2, {});
  expect(sums.collect(1).map(({ isDelta }) => isDelta)).toEqual([true, false]);
  sums.add(instrument('counter'), 3, {});
  sums.add(instrument('up-down-counter'), 3, {});
  const [counter, upDown] = sums.collect(2);
  expect(counter).toMatchObject({ startMs: 1, points: [{ value: 3 }] });
  expect(upDown?.points).toMatchObject([{ value: 5 }]);
});

test('gauges are read when they are collected, until they are disposed of', () => {
  const sums = new MetricSums({ isDelta: false });
  let value = 1;
  const observed = sums.observe(instrument('gauge'), () => [{ value, attributes: { queue: 'x' } }]);
  value = 2;
  expect(sums.collect(1)[0]?.points).toEqual([{ kind: 'number', value: 2, attributes: { queue: 'x' } }]);
  observed[Symbol.dispose]();
  expect(sums.collect(2)).toEqual([]);
});

test('what has too many attributes is one sum', () => {
  const sums = new MetricSums({ isDelta: false });
  for (let index = 0; index < 2500; index++) sums.add(instrument('counter'), 1, { index });
  const points = sums.collect(1)[0]?.points ?? [];
  expect(points).toHaveLength(2000);
  expect(points.at(-1)).toEqual({
    ...{ kind: 'number', value: 501, attributes: { 'otel.metric.overflow': true } },
  });
});
