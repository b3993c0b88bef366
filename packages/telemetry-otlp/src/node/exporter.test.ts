/** How often a batch is tried, and when no more: "Retry" of OpenTelemetry's specification of exporters. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Exporter } from './exporter.ts';
import type { Outcome } from './transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const taken: Outcome = { kind: 'taken', answer: new Uint8Array() };
const busy: Outcome = { kind: 'failed', why: 'busy', isAbsent: false };
const absent: Outcome = { kind: 'failed', why: 'nobody', isAbsent: true };
const refused: Outcome = { kind: 'refused', why: 'no' };

/** A collector that gives one outcome after another, the last for ever. */
function exporting(outcomes: readonly Outcome[]): {
  readonly exporter: Exporter<string>;
  readonly times: number[];
  readonly warnings: string[];
} {
  const times: number[] = [];
  const warnings: string[] = [];
  const start = performance.now();
  const exporter = new Exporter<string>({
    transport: {
      send: async () => {
        times.push(performance.now() - start);
        return outcomes[Math.min(times.length, outcomes.length) - 1] ?? taken;
      },
      close: () => undefined,
    },
    sender: { resource: {}, version: '1' },
    write: (writer, text) => writer.text(1, text),
    timeoutMs: 10_000,
    warn: (message) => void warnings.push(message),
  });
  return { exporter, times, warnings };
}

test('what fails is tried again, later each time', async () => {
  const { exporter, times, warnings } = exporting([busy, busy, taken]);
  const sent = exporter.send(['a']);
  await vi.runAllTimersAsync();
  expect(await sent).toBe(true);
  expect(warnings).toEqual([]);
  const [first = 0, second = 0, third = 0] = times;
  expect(second - first).toBeGreaterThanOrEqual(800);
  expect(second - first).toBeLessThanOrEqual(1200);
  expect(third - second).toBeGreaterThanOrEqual(1200);
});

test('until its time is over', async () => {
  const { exporter, times, warnings } = exporting([busy]);
  const sent = exporter.send(['a']);
  await vi.runAllTimersAsync();
  expect(await sent).toBe(false);
  expect(warnings).toEqual(['busy']);
  expect(times.length).toBeGreaterThan(2);
  expect(Math.max(...times)).toBeLessThan(10_000);
});

test('when the collector says', async () => {
  const { exporter, times } = exporting([
    { kind: 'failed', why: 'busy', isAbsent: false, afterMs: 3000 },
    taken,
  ]);
  const sent = exporter.send(['a']);
  await vi.runAllTimersAsync();
  expect(await sent).toBe(true);
  expect(times).toEqual([0, 3000]);
});

test('what is refused is not tried again', async () => {
  const { exporter, times, warnings } = exporting([refused]);
  expect(await exporter.send(['a'])).toBe(false);
  expect([times, warnings]).toEqual([[0], ['no']]);
});

test('at the end there is one attempt, and nobody is told that there is no collector', async () => {
  const { exporter, times, warnings } = exporting([busy, absent]);
  const sent = exporter.send(['a']);
  await vi.advanceTimersByTimeAsync(1);
  exporter.hurry();
  expect(await sent).toBe(false);
  expect([times.length, warnings]).toEqual([2, []]);
});
