/**
 * Spans of a thread, which has no collector of its own: they are recorded there as plain data, and told again in the thread
 * that has one, with the ids and times that they had.
 */
import { newSpanContext, nowMs } from './span-context.ts';
import type { Attributes, Span, SpanContext, SpanKind, Tracer, TracerSpanOptions } from './span.ts';

/** A span that has ended, as data that can be sent to another thread. Times are milliseconds since 1970. */
export type RecordedSpan = {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  readonly events: readonly RecordedEvent[];
  /** The last failure. */
  readonly error: { readonly name: string; readonly message: string } | undefined;
  readonly startMs: number;
  readonly endMs: number;
};

type RecordedEvent = { readonly name: string; readonly attributes: Attributes; readonly timeMs: number };

/** A span holds so many; more are dropped. */
const maxEvents = 128;

/** Records every span and gives it out when it has ended. */
export class RecordingTracer implements Tracer {
  readonly #emit: (span: RecordedSpan) => void;

  constructor(emit: (span: RecordedSpan) => void) {
    this.#emit = emit;
  }

  startSpan(
    name: string,
    { kind = 'internal', attributes: given, parent, context, startMs }: TracerSpanOptions,
  ): Span {
    const own = context ?? newSpanContext(parent);
    const begunMs = startMs ?? nowMs();
    const events: RecordedEvent[] = [];
    let attributes: Attributes = { ...given };
    let error: RecordedSpan['error'];
    let hasEnded = false;
    return {
      context: own,
      set: (more) => void (attributes = { ...attributes, ...more }),
      event: (event, more = {}, timeMs = nowMs()) => {
        if (events.length < maxEvents) events.push({ name: event, attributes: more, timeMs });
      },
      fail: (failure) => {
        error =
          failure instanceof Error
            ? { name: failure.name, message: failure.message }
            : { name: 'Error', message: String(failure) };
      },
      end: (timeMs) => {
        if (hasEnded) return;
        hasEnded = true;
        const endMs = timeMs ?? nowMs();
        this.#emit({ name, kind, context: own, parent, attributes, events, error, startMs: begunMs, endMs });
      },
    };
  }
}

/** Tells a tracer of a span that has ended elsewhere. */
export function replaySpan(tracer: Tracer, recorded: RecordedSpan): void {
  const { name, kind, context, parent, attributes, events, error, startMs, endMs } = recorded;
  const span = tracer.startSpan(name, { kind, context, parent, attributes, startMs });
  for (const event of events) span.event(event.name, event.attributes, event.timeMs);
  if (error !== undefined) span.fail(Object.assign(new Error(error.message), { name: error.name }));
  span.end(endMs);
}
