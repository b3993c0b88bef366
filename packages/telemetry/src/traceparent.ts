/**
 * The header `traceparent` of W3C Trace Context, Level 1 (https://www.w3.org/TR/trace-context/):
 *
 *     version "-" trace-id "-" parent-id "-" flags        00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *
 * Lowercase hex throughout; ids of zeroes only are invalid; bit 0 of the flags says that it is recorded. Of later versions
 * the first four fields are read.
 */
import type { SpanContext } from './span.ts';

export function printTraceparent({ traceId, spanId, sampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const grammar = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for what is none; the receiver then begins a trace of its own. */
export function parseTraceparent(header: string, traceState?: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = grammar.exec(header.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, ...(traceState !== undefined && { traceState }) };
}
