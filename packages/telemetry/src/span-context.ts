/** The ids of a new span. */
import type { SpanContext } from './span.ts';

/** Sampled as its parent is: who has none cannot know, and records. */
export function newSpanContext(parent: SpanContext | undefined): SpanContext {
  const traceId = parent?.traceId ?? randomHex(32);
  const traceState = parent?.traceState;
  const sampled = parent?.sampled ?? true;
  return { traceId, spanId: randomHex(16), sampled, ...(traceState !== undefined && { traceState }) };
}

/** Not all zeroes. */
function randomHex(length: number): string {
  let text = '';
  while (text.length < length) {
    text += Math.floor(Math.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  }
  return /[^0]/.test(text) ? text.slice(0, length) : randomHex(length);
}

/** Milliseconds since 1970, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
