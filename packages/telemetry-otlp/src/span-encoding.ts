/** Spans as OTLP has them (opentelemetry-proto 1.x, trace.proto: `Span`). */
import type { Attributes, SpanContext, SpanKind } from '@neve/telemetry';
import type { MessageWriter } from './message-writer.ts';
import { writeAttributes } from './otlp-request.ts';

/** A span that has ended. Times are milliseconds since 1970. */
export type EndedSpan = {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly droppedEvents: number;
  /** Why it has failed, if it has. */
  readonly failure: string | undefined;
};

export type SpanEvent = { readonly name: string; readonly attributes: Attributes; readonly timeMs: number };

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };

const statusError = 2;
const sampled = 1;

/** The fields of a span. Whether a parent is of another process is not said, since nobody knows. */
export function writeSpan(writer: MessageWriter, span: EndedSpan): void {
  const { context, parent, attributes, events, droppedEvents, failure } = span;
  writer.hex(1, context.traceId);
  writer.hex(2, context.spanId);
  if (context.traceState !== undefined) writer.text(3, context.traceState);
  if (parent !== undefined) writer.hex(4, parent.spanId);
  writer.name(5, span.name);
  writer.integer(6, kinds[span.kind]);
  writer.time(7, span.startMs);
  writer.time(8, span.endMs);
  writeAttributes(writer, 9, attributes);
  for (const event of events) writeEvent(writer, event);
  if (droppedEvents > 0) writer.integer(12, droppedEvents);
  if (failure !== undefined) {
    const status = writer.begin(15);
    writer.text(2, failure);
    writer.integer(3, statusError);
    writer.end(status);
  }
  writer.fixed32(16, sampled);
}

function writeEvent(writer: MessageWriter, { name, attributes, timeMs }: SpanEvent): void {
  const event = writer.begin(11);
  writer.time(1, timeMs);
  writer.name(2, name);
  writeAttributes(writer, 3, attributes);
  writer.end(event);
}
