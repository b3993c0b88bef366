/**
 * Spans: what took how long, within what. Code that is measured knows only what is here; who receives spans (a collector
 * by OTLP, a file, Tracy) implements `Tracer`. The names are those of OpenTelemetry, its API is not used, so that measured
 * code depends on nothing and costs nothing while nobody listens.
 */

export type AttributeValue = string | number | boolean | readonly string[];

/** Names as OpenTelemetry's semantic conventions have them, or ours with dots: `blob.digest`, `derivation.path`. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** What identifies a span in all processes. */
export type SpanContext = {
  /** 32 digits, lowercase hex. */
  readonly traceId: string;
  /** 16 digits, lowercase hex. */
  readonly spanId: string;
  /** Whether somebody records it. */
  readonly sampled: boolean;
  /** The header `tracestate` as it came. */
  readonly traceState?: string;
};

/** `client` and `server` are the two ends of a call between processes. */
export type SpanKind = 'internal' | 'client' | 'server';

export type SpanOptions = {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Default: the active span. `undefined` by name makes a root. */
  readonly parent?: SpanContext | undefined;
  /** Milliseconds since 1970, of what has begun before it is told. Default: now. */
  readonly startMs?: number;
};

export interface Span {
  readonly context: SpanContext;
  set(attributes: Attributes): void;
  /** Something that happened at this moment, or at `timeMs` since 1970. */
  event(name: string, attributes?: Attributes, timeMs?: number): void;
  /** Records the error and makes the span a failed one. */
  fail(error: unknown): void;
  /** At this moment, or at `timeMs` since 1970. What comes later is ignored. */
  end(timeMs?: number): void;
}

/** What a tracer is told of a new span. */
export type TracerSpanOptions = SpanOptions & {
  /** It has been decided. */
  readonly parent: SpanContext | undefined;
  /** The ids that the span has already, if another tracer has made them. */
  readonly context?: SpanContext;
};

/** Receives spans. It never throws, and what it does later never fails the work. */
export interface Tracer {
  startSpan(name: string, options: TracerSpanOptions): Span;
}

/** Which span is active in a chain of calls, promises included. `node/` has one with `AsyncLocalStorage`. */
export interface ActiveSpans {
  active(): Span | undefined;
  run<T>(span: Span, work: () => T): T;
}
