/**
 * Spans for OpenTelemetry's SDK, which batches and sends them. They are made here: an evaluation has a thousand of them within a
 * second, and those that the SDK makes take several times as long. What is not sampled has a context and nothing else.
 */
import {
  type Attributes as SdkAttributes,
  type HrTime,
  type SpanContext as SdkSpanContext,
  type SpanStatus,
  ROOT_CONTEXT,
  SpanKind as SdkSpanKind,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
  type TimedEvent,
} from '@opentelemetry/sdk-trace';
import type { Resource } from '@opentelemetry/resources';
import { newSpanContext, nowMs } from '@neve/telemetry';
import type { Attributes, Span, SpanContext, SpanKind, Tracer, TracerSpanOptions } from '@neve/telemetry';
import type { SamplerSettings } from './otlp-settings.ts';

export type OtlpTracerOptions = {
  readonly resource: Resource;
  readonly processor: SpanProcessor;
  readonly sampler: SamplerSettings;
  readonly version: string;
};

/** What spans have in common. */
type SpanSource = Pick<ReadableSpan, 'resource' | 'instrumentationScope'> & {
  readonly processor: SpanProcessor;
};

export class OtlpTracer implements Tracer, AsyncDisposable {
  readonly #source: SpanSource;
  readonly #isParentBased: boolean;
  readonly #sampler: Sampler;

  constructor({ resource, processor, sampler, version }: OtlpTracerOptions) {
    this.#source = { resource, processor, instrumentationScope: { name: 'neve', version } };
    this.#isParentBased = sampler.isParentBased;
    this.#sampler = samplerOf(sampler);
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { parent } = options;
    const own = options.context ?? newSpanContext(parent);
    const context = { ...own, sampled: this.#isSampled(name, own, options) };
    if (!context.sampled) return { context, set: ignore, event: ignore, fail: ignore, end: ignore };
    return new OtlpSpan(name, { ...options, context }, this.#source);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.processor.shutdown();
  }

  // oxlint-disable-next-line eslint/max-params -- what a sampler is asked
  #isSampled(
    name: string,
    { traceId }: SpanContext,
    { parent, kind = 'internal' }: TracerSpanOptions,
  ): boolean {
    if (parent !== undefined && this.#isParentBased) return parent.sampled;
    const result = this.#sampler.shouldSample(ROOT_CONTEXT, traceId, name, kinds[kind], {}, []);
    return result.decision === SamplingDecision.RECORD_AND_SAMPLED;
  }
}

/** The SDK's context that has a span as its active one. */
export function contextOf(span: SpanContext): typeof ROOT_CONTEXT {
  return trace.setSpanContext(ROOT_CONTEXT, sdkContext(span));
}

/** Without the attributes that are undefined. */
export function defined(attributes: Attributes): Record<string, string | number | boolean | string[]> {
  const all: Record<string, string | number | boolean | string[]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) all[name] = typeof value === 'object' ? [...value] : value;
  }
  return all;
}

function sdkContext({ traceId, spanId, sampled, traceState }: SpanContext, isRemote = true): SdkSpanContext {
  return {
    ...{ traceId, spanId, isRemote },
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(traceState !== undefined && { traceState: createTraceState(traceState) }),
  };
}

const kinds: Readonly<Record<SpanKind, SdkSpanKind>> = {
  internal: SdkSpanKind.INTERNAL,
  client: SdkSpanKind.CLIENT,
  server: SdkSpanKind.SERVER,
};

/** A span holds so many; more are dropped. */
const maxEvents = 128;

/** One that is recorded; when it has ended it is given to the SDK. */
class OtlpSpan implements Span {
  readonly context: SpanContext;
  readonly #name: string;
  readonly #options: TracerSpanOptions;
  readonly #source: SpanSource;
  readonly #startMs: number;
  readonly #attributes: SdkAttributes;
  readonly #events: TimedEvent[] = [];
  #droppedEvents = 0;
  #status: SpanStatus = { code: SpanStatusCode.UNSET };
  #hasEnded = false;

  // oxlint-disable-next-line eslint/max-params -- what it is, and whose
  constructor(
    name: string,
    options: TracerSpanOptions & { readonly context: SpanContext },
    source: SpanSource,
  ) {
    this.context = options.context;
    this.#name = name;
    this.#options = options;
    this.#source = source;
    this.#startMs = options.startMs ?? nowMs();
    this.#attributes = options.attributes === undefined ? {} : defined(options.attributes);
  }

  set(attributes: Attributes): void {
    Object.assign(this.#attributes, defined(attributes));
  }

  event(name: string, attributes: Attributes = {}, timeMs: number = nowMs()): void {
    if (this.#events.length < maxEvents) {
      this.#events.push({ name, attributes: defined(attributes), time: hrTime(timeMs) });
    } else this.#droppedEvents++;
  }

  fail(error: unknown): void {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    this.event('exception', {
      'exception.type': name,
      'exception.message': message,
      'exception.stacktrace': stack,
    });
    this.#status = { code: SpanStatusCode.ERROR, message };
  }

  end(timeMs: number = nowMs()): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { kind = 'internal', parent } = this.#options;
    const { resource, instrumentationScope, processor } = this.#source;
    // Clocks may be set back.
    const endMs = Math.max(timeMs, this.#startMs);
    const context = sdkContext(this.context, false);
    processor.onEnd({
      ...{ name: this.#name, kind: kinds[kind], spanContext: () => context },
      ...(parent !== undefined && { parentSpanContext: sdkContext(parent) }),
      ...{
        startTime: hrTime(this.#startMs),
        endTime: hrTime(endMs),
        duration: hrTime(endMs - this.#startMs),
      },
      ...{ attributes: this.#attributes, events: this.#events, links: [], status: this.#status },
      ...{ resource, instrumentationScope, ended: true },
      ...{ droppedAttributesCount: 0, droppedEventsCount: this.#droppedEvents, droppedLinksCount: 0 },
    });
  }
}

function ignore(): void {
  // Nobody records it.
}

/** Seconds, and nanoseconds beside them. */
function hrTime(timeMs: number): HrTime {
  const seconds = Math.floor(timeMs / 1000);
  return [seconds, Math.floor((timeMs - seconds * 1000) * 1e6)];
}

/** For those that have no parent, or do not do as it does. */
function samplerOf({ kind, ratio }: SamplerSettings): Sampler {
  switch (kind) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
  }
}
