/**
 * Spans for a collector. An evaluation has a thousand of them within a second: a span is one object, which waits to be sent as
 * it is. What is not sampled has a context and nothing else.
 */
import { nowMs } from '@neve/telemetry';
import type { Attributes, Span, SpanContext, SpanKind, Tracer, TracerSpanOptions } from '@neve/telemetry';
import type { EndedSpan, SpanEvent } from '../span-encoding.ts';
import type { SamplerSettings } from './otlp-settings.ts';
import { SpanIds } from './span-ids.ts';

export class OtlpTracer implements Tracer {
  readonly #sampler: SamplerSettings;
  readonly #emit: (span: EndedSpan) => void;
  readonly #ids = new SpanIds();

  /** `emit` gets every span that has ended. */
  constructor(sampler: SamplerSettings, emit: (span: EndedSpan) => void) {
    this.#sampler = sampler;
    this.#emit = emit;
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { parent } = options;
    const own = options.context ?? this.#ids.contextWithin(parent);
    const sampled = this.#isSampled(own.traceId, parent);
    const context = own.sampled === sampled ? own : { ...own, sampled };
    if (!sampled) return { context, set: ignore, event: ignore, fail: ignore, end: ignore };
    return new OtlpSpan(name, { context, options, emit: this.#emit });
  }

  // oxlint-disable-next-line eslint/max-params -- what a sampler is asked
  #isSampled(traceId: string, parent: SpanContext | undefined): boolean {
    const { kind, isParentBased, ratio } = this.#sampler;
    if (parent !== undefined && isParentBased) return parent.sampled;
    return kind === 'always_on' || (kind === 'traceidratio' && isWithinRatio(traceId, ratio));
  }
}

/** A span holds so many; more are dropped. */
const maxEvents = 128;

const noEvents: readonly SpanEvent[] = [];
const noAttributes: Attributes = {};

/** One that is recorded; when it has ended it is what is sent. */
class OtlpSpan implements Span, EndedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly startMs: number;
  endMs = 0;
  attributes: Attributes;
  events: readonly SpanEvent[] = noEvents;
  droppedEvents = 0;
  failure: string | undefined = undefined;
  readonly #emit: (span: EndedSpan) => void;

  constructor(name: string, { context, options, emit }: SpanStart) {
    this.name = name;
    this.kind = options.kind ?? 'internal';
    this.context = context;
    this.parent = options.parent;
    this.startMs = options.startMs ?? clock();
    this.attributes = options.attributes ?? noAttributes;
    this.#emit = emit;
  }

  set(attributes: Attributes): void {
    if (this.endMs === 0) this.attributes = { ...this.attributes, ...attributes };
  }

  event(name: string, attributes: Attributes = {}, timeMs: number = clock()): void {
    if (this.endMs !== 0) return;
    if (this.events.length < maxEvents) this.events = [...this.events, { name, attributes, timeMs }];
    else this.droppedEvents++;
  }

  fail(error: unknown): void {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    this.event('exception', {
      'exception.type': name,
      'exception.message': message,
      'exception.stacktrace': stack,
    });
    if (this.endMs === 0) this.failure = message;
  }

  end(timeMs: number = clock()): void {
    if (this.endMs !== 0) return;
    // Clocks may be set back.
    this.endMs = Math.max(timeMs, this.startMs);
    this.#emit(this);
  }
}

type SpanStart = {
  readonly context: SpanContext;
  readonly options: TracerSpanOptions;
  readonly emit: (span: EndedSpan) => void;
};

const startMs = nowMs();
const startNs = process.hrtime.bigint();

/** As `nowMs`, which takes seven times as long while V8 has not compiled it. */
function clock(): number {
  return startMs + Number(process.hrtime.bigint() - startNs) / 1e6;
}

function ignore(): void {
  // Nobody records it.
}

/** As OpenTelemetry's SDK for JavaScript decides it, so that all processes of a trace agree: by the parts of the id, combined. */
function isWithinRatio(traceId: string, ratio: number): boolean {
  let combined = 0;
  for (let at = 0; at < 32; at += 8)
    combined = (combined ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0;
  return combined < (ratio === 1 ? 2 ** 32 : Math.floor(ratio * 0xffff_ffff));
}
