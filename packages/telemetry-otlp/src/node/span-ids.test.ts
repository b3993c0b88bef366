import { expect, test } from 'vitest';
import { SpanIds } from './span-ids.ts';

test('ids are of the size that W3C wants, and are used once', () => {
  const ids = new SpanIds();
  const root = ids.contextWithin(undefined);
  expect(root.traceId).toMatch(/^[0-9a-f]{32}$/);
  const inside = { ...root, sampled: false, traceState: 'a=b' };
  const contexts = Array.from({ length: 1000 }, () => ids.contextWithin(inside));
  const spanIds = new Set(contexts.map(({ spanId }) => spanId));
  expect(spanIds.size).toBe(1000);
  for (const spanId of spanIds) expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  const { spanId: _, ...rest } = inside;
  for (const { spanId: __, ...its } of contexts) expect(its).toEqual(rest);
  expect(ids.contextWithin(root)).not.toHaveProperty('traceState');
});
