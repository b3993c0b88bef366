/** The two headers of W3C Trace Context, as HTTP and gRPC carry them, and as the environment gives them to a command. */
import type { SpanContext } from './span.ts';
import { parseTraceparent, printTraceparent } from './traceparent.ts';

/** In lower case. */
export type TraceHeaders = {
  readonly traceparent: string;
  readonly tracestate?: string;
};

export function printTraceHeaders(context: SpanContext): TraceHeaders {
  const { traceState } = context;
  return {
    traceparent: printTraceparent(context),
    ...(traceState !== undefined && { tracestate: traceState }),
  };
}

/** Longer ones are dropped, as the specification allows from 512 characters on. */
const maxTraceState = 512;

/** `header` gives the value of a header by its name in lower case. Undefined where no trace is to be continued. */
export function readTraceHeaders(header: (name: string) => string | undefined): SpanContext | undefined {
  const traceparent = header('traceparent');
  if (traceparent === undefined) return undefined;
  const traceState = header('tracestate');
  const isShort = traceState !== undefined && traceState !== '' && traceState.length <= maxTraceState;
  return parseTraceparent(traceparent, isShort ? traceState : undefined);
}

/** TRACEPARENT and TRACESTATE, by which a script gives its trace to the commands that it runs. */
export function parentFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): SpanContext | undefined {
  return readTraceHeaders((name) => environment[name.toUpperCase()]);
}
