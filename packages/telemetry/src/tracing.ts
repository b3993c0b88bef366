/**
 * The tracing of this process. There is one, as there is one stderr: it is set by an app before work begins, and read by
 * whatever is measured. A process may have several copies of this file (bundles), so that it is kept under a registered
 * symbol of the global object.
 */
import type { ActiveSpans, Span, SpanContext, SpanOptions, Tracer } from './span.ts';

export type Tracing = { readonly tracer: Tracer; readonly activeSpans: ActiveSpans };

const key: unique symbol = Symbol.for('neve.telemetry.tracing');

type Holder = { [key]?: Tracing | undefined };

/** Undefined ends it. */
export function setTracing(tracing: Tracing | undefined): void {
  (globalThis as Holder)[key] = tracing;
}

/** Undefined while nobody listens. Hot code asks once and keeps its attributes unmade. */
export function currentTracing(): Tracing | undefined {
  return (globalThis as Holder)[key];
}

/** A span that ends elsewhere. Undefined while nobody listens. */
export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  const tracing = currentTracing();
  if (tracing === undefined) return undefined;
  const parent = 'parent' in options ? options.parent : tracing.activeSpans.active()?.context;
  return tracing.tracer.startSpan(name, { ...options, parent });
}

/** Runs `work` within a new span, which ends with it and fails with it. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const span = startSpan(name, options);
  return span === undefined ? work(undefined) : runInSpan(span, work);
}

async function runInSpan<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await withActiveSpan(span, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** As `inSpan`, for what may give its result at once. */
export function callInSpan<T>(
  name: string,
  options: SpanOptions,
  work: () => T | Promise<T>,
): T | Promise<T> {
  const span = startSpan(name, options);
  if (span === undefined) return work();
  try {
    const result = withActiveSpan(span, work);
    if (result instanceof Promise) return runInSpan(span, () => result);
    span.end();
    return result;
  } catch (error) {
    span.fail(error);
    span.end();
    throw error;
  }
}

/** As `inSpan`, for what is asked for item by item; the span ends when no more is asked for. */
export function streamInSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => AsyncIterable<T>,
): AsyncIterable<T> {
  return currentTracing() === undefined ? work(undefined) : streamWithin(name, options, work);
}

async function* streamWithin<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => AsyncIterable<T>,
): AsyncGenerator<T, void, void> {
  const span = startSpan(name, options);
  // A generator runs within whatever asks it for its next item.
  const items = withActiveSpan(span, () => work(span)[Symbol.asyncIterator]());
  const next = (): Promise<IteratorResult<T>> => withActiveSpan(span, () => items.next());
  let isDone = false;
  try {
    for (let item = await next(); item.done !== true; item = await next()) yield item.value;
    isDone = true;
  } catch (error) {
    isDone = true;
    span?.fail(error);
    throw error;
  } finally {
    if (!isDone) await withActiveSpan(span, async () => await items.return?.());
    span?.end();
  }
}

/** What `work` begins has `span` as its parent. */
export function withActiveSpan<T>(span: Span | undefined, work: () => T): T {
  const tracing = currentTracing();
  return span === undefined || tracing === undefined ? work() : tracing.activeSpans.run(span, work);
}

/** As `withActiveSpan`, for a span of another process or thread. */
export function withRemoteParent<T>(parent: SpanContext | undefined, work: () => T): T {
  return withActiveSpan(parent && remoteSpan(parent), work);
}

/** Only its context is of use here. */
function remoteSpan(context: SpanContext): Span {
  const ignore = (): void => undefined;
  return { context, set: ignore, event: ignore, fail: ignore, end: ignore };
}

export function activeSpan(): Span | undefined {
  return currentTracing()?.activeSpans.active();
}
