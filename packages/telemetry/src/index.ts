export type {
  ActiveSpans,
  AttributeValue,
  Attributes,
  Span,
  SpanContext,
  SpanKind,
  SpanOptions,
  Tracer,
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
export { parseTraceparent, printTraceparent } from './traceparent.ts';
