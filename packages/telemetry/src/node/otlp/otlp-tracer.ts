/** Spans as those of OpenTelemetry's SDK, which samples, batches and sends them. */
import {
  type SpanOptions as SdkSpanOptions,
  type Span as SdkSpan,
  type SpanContext as SdkSpanContext,
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
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type IdGenerator,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Resource } from '@opentelemetry/resources';
import type { Attributes, Span, SpanContext, SpanKind, Tracer, TracerSpanOptions } from '../../span.ts';
import type { SamplerSettings } from './otlp-settings.ts';

export type OtlpTracerOptions = {
  readonly resource: Resource;
  readonly processor: SpanProcessor;
  readonly sampler: SamplerSettings;
  readonly version: string;
};

export class OtlpTracer implements Tracer, AsyncDisposable {
  readonly #provider: TracerProvider;
  readonly #tracer: ReturnType<TracerProvider['getTracer']>;
  readonly #ids = new GivenIds();

  constructor({ resource, processor, sampler, version }: OtlpTracerOptions) {
    this.#provider = new TracerProvider({
      ...{ resource, sampler: samplerOf(sampler), idGenerator: this.#ids },
      spanProcessors: [processor],
    });
    this.#tracer = this.#provider.getTracer('neve', version);
  }

  startSpan(name: string, options: TracerSpanOptions): Span {
    const { parent, kind = 'internal', attributes, startMs, context } = options;
    this.#ids.next = context;
    const sdkOptions: SdkSpanOptions = {
      kind: kinds[kind],
      ...(attributes !== undefined && { attributes: defined(attributes) }),
      ...(startMs !== undefined && { startTime: startMs }),
    };
    const around = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
    return new OtlpSpan(this.#tracer.startSpan(name, sdkOptions, around));
  }

  flush(): Promise<void> {
    return this.#provider.forceFlush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }
}

/** The SDK's context that has a span as its active one. */
export function contextOf(span: SpanContext): typeof ROOT_CONTEXT {
  const { traceId, spanId, sampled, traceState } = span;
  const context: SdkSpanContext = {
    ...{ traceId, spanId, isRemote: true },
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(traceState !== undefined && { traceState: createTraceState(traceState) }),
  };
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

/** Without the attributes that are undefined. */
export function defined(attributes: Attributes): Record<string, string | number | boolean | string[]> {
  const all: Record<string, string | number | boolean | string[]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) all[name] = typeof value === 'object' ? [...value] : value;
  }
  return all;
}

const kinds: Readonly<Record<SpanKind, SdkSpanKind>> = {
  internal: SdkSpanKind.INTERNAL,
  client: SdkSpanKind.CLIENT,
  server: SdkSpanKind.SERVER,
};

class OtlpSpan implements Span {
  readonly context: SpanContext;
  readonly #span: SdkSpan;

  constructor(span: SdkSpan) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const state = traceState?.serialize() ?? '';
    this.#span = span;
    this.context = {
      ...{ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 },
      ...(state !== '' && { traceState: state }),
    };
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(defined(attributes));
  }

  event(name: string, attributes: Attributes = {}, timeMs?: number): void {
    this.#span.addEvent(name, defined(attributes), timeMs);
  }

  fail(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#span.recordException(failure);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
  }

  end(timeMs?: number): void {
    if (this.#span.isRecording()) this.#span.end(timeMs);
  }
}

/** The SDK makes ids, unless the next span has its own. */
class GivenIds implements IdGenerator {
  next: SpanContext | undefined;
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.spanId ?? this.#random.generateSpanId();
  }
}

function samplerOf({ kind, isParentBased, ratio }: SamplerSettings): Sampler {
  const root =
    kind === 'always_on'
      ? new AlwaysOnSampler()
      : kind === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}
