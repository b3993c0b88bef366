/** Cases of the specification, section 3.2, and its rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraceparent, printTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test.each([
  [`00-${traceId}-${spanId}-01`, { traceId, spanId, sampled: true }],
  [`00-${traceId}-${spanId}-00`, { traceId, spanId, sampled: false }],
  [`00-${traceId}-${spanId}-03`, { traceId, spanId, sampled: true }],
  [`cc-${traceId}-${spanId}-01-what-the-future-will-be`, { traceId, spanId, sampled: true }],
])('reads %s', (header, expected) => {
  expect(parseTraceparent(header)).toEqual(expected);
});

test.each([
  '',
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${traceId}-${spanId}`,
])('is none: %j', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

test('what is printed is read back', () => {
  const hex = (length: number): fc.Arbitrary<string> =>
    fc
      .string({
        unit: fc.integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)),
        minLength: length,
        maxLength: length,
      })
      .filter((it) => /[^0]/.test(it));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (trace, span, sampled) => {
      const context = { traceId: trace, spanId: span, sampled };
      expect(parseTraceparent(printTraceparent(context))).toEqual(context);
    }),
  );
});
