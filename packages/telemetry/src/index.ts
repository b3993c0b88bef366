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
  currentTracing,
  inSpan,
  setTracing,
  startSpan,
  withActiveSpan,
} from './tracing.ts';
export { combinedTracer } from './combined-tracer.ts';
export { parseTraceparent, printTraceparent } from './traceparent.ts';
