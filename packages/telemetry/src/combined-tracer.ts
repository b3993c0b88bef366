/**
 * Several receivers of the same spans: a collector, a file, a profiler. The first decides the ids and whether spans are
 * sampled, since it may be bound by what came from another process; the others are told, so that a parent means the same
 * span to all of them.
 */
import type { Span, SpanContext, Tracer, TracerSpanOptions } from './span.ts';

/** A tracer that gives its spans to all of `tracers`. */
export function combinedTracer(tracers: readonly [Tracer, ...Tracer[]]): Tracer {
  const [first, ...others] = tracers;
  return others.length === 0 ? first : new CombinedTracer(first, others);
}

class CombinedTracer implements Tracer {
  readonly #first: Tracer;
  readonly #others: readonly Tracer[];

  constructor(first: Tracer, others: readonly Tracer[]) {
    this.#first = first;
    this.#others = others;
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const first = this.#first.startSpan(name, options);
    const told = { ...options, context: first.context };
    return combinedSpan(
      first.context,
      [first].concat(this.#others.map((tracer) => tracer.startSpan(name, told))),
    );
  }
}

function combinedSpan(context: SpanContext, spans: readonly Span[]): Span {
  return {
    context,
    set: (attributes) => spans.forEach((span) => span.set(attributes)),
    event: (name, attributes, timeMs) => spans.forEach((span) => span.event(name, attributes, timeMs)),
    fail: (error) => spans.forEach((span) => span.fail(error)),
    end: (timeMs) => spans.forEach((span) => span.end(timeMs)),
  };
}
