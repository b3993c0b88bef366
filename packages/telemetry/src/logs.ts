/**
 * Log records: what a person was told, kept with the span in which it was said. They go to a receiver that is set for the
 * process as the tracing is; what is shown at a terminal is shown by others.
 */
import type { Attributes, SpanContext } from './span.ts';
import { activeSpan } from './tracing.ts';

export type LogSeverity = 'debug' | 'info' | 'warning' | 'error';

export type LogRecord = {
  readonly severity: LogSeverity;
  readonly message: string;
  readonly attributes: Attributes;
  /** The span that was active. */
  readonly span: SpanContext | undefined;
  /** Since 1970. */
  readonly timeMs: number;
};

/** It never throws, and what it does later never fails the work. */
export interface LogReceiver {
  emit(record: LogRecord): void;
}

const key: unique symbol = Symbol.for('neve.telemetry.logs');

type Holder = { [key]?: LogReceiver | undefined };

/** Undefined ends it. */
export function setLogs(receiver: LogReceiver | undefined): void {
  (globalThis as Holder)[key] = receiver;
}

/** Undefined while nobody listens. */
export function currentLogs(): LogReceiver | undefined {
  return (globalThis as Holder)[key];
}

/** Says it to whoever listens. */
export function log(severity: LogSeverity, message: string, attributes: Attributes = {}): void {
  currentLogs()?.emit({
    ...{ severity, message, attributes },
    span: activeSpan()?.context,
    timeMs: Date.now(),
  });
}
