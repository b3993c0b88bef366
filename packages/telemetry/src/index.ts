export type {
  ActiveSpans,
  AttributeValue,
  Attributes,
  Span,
  SpanContext,
  SpanKind,
  SpanOptions,
  Tracer,
  TracerSpanOptions,
} from './span.ts';
export {
  type Tracing,
  activeSpan,
  callInSpan,
  currentTracing,
  inSpan,
  setTracing,
  startSpan,
  streamInSpan,
  withActiveSpan,
  withRemoteParent,
} from './tracing.ts';
export {
  type TracedMethod,
  type TracedMethods,
  type TracedServiceOptions,
  tracedService,
} from './traced-service.ts';
export { newSpanContext, nowMs } from './span-context.ts';
export { combinedTracer } from './combined-tracer.ts';
export { parseTraceparent, printTraceparent } from './traceparent.ts';
export { parentFromEnvironment, printTraceHeaders, readTraceHeaders } from './trace-headers.ts';
export {
  type Counter,
  type Gauge,
  type Histogram,
  type Instrument,
  type InstrumentKind,
  type InstrumentOptions,
  type MetricReceiver,
  type Observation,
  counter,
  currentMetrics,
  gauge,
  histogram,
  setMetrics,
  upDownCounter,
} from './metrics.ts';
export { type LogReceiver, type LogRecord, type LogSeverity, currentLogs, log, setLogs } from './logs.ts';
export { type RecordedSpan, RecordingTracer, replaySpan } from './recorded-span.ts';
export { ChromeTracer, type ChromeTracerOptions } from './chrome/chrome-tracer.ts';
