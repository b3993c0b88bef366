import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type WorkerReport, parseReport, printReport } from './worker-protocol.ts';

const report: fc.Arbitrary<WorkerReport> = fc.oneof(
  fc.json().map((line) => ({ kind: 'job' as const, line })),
  fc.array(fc.string({ unit: 'binary' })).map((names) => ({ kind: 'names' as const, names })),
  fc.constantFrom('started', 'done', 'restart', 'out-of-memory').map((kind) => ({ kind }) as WorkerReport),
  fc.nat(255).map((exitCode) => ({ kind: 'failed' as const, exitCode })),
);

test('what is printed is one line, and is read as it was', () => {
  fc.assert(
    fc.property(report, (it) => {
      const line = printReport(it);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(parseReport(line.slice(0, -1))).toEqual(it);
    }),
  );
});

test('anything else is refused', () => {
  expect(() => parseReport('hello')).toThrow("a worker said 'hello'");
  expect(() => parseReport('')).toThrow('which means nothing');
});
