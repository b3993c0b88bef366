/** Log records as OTLP has them (opentelemetry-proto 1.x, logs.proto: `LogRecord`). */
import type { LogRecord, LogSeverity } from '@neve/telemetry';
import type { MessageWriter } from './message-writer.ts';
import { writeAnyValue, writeAttributes } from './otlp-request.ts';

const severities: Readonly<Record<LogSeverity, { readonly number: number; readonly text: string }>> = {
  debug: { number: 5, text: 'DEBUG' },
  info: { number: 9, text: 'INFO' },
  warning: { number: 13, text: 'WARN' },
  error: { number: 17, text: 'ERROR' },
};

/** The fields of a log record, with the ids of the span in which it was said. */
export function writeLogRecord(writer: MessageWriter, record: LogRecord): void {
  const { severity, message, attributes, span, timeMs } = record;
  const { number, text } = severities[severity];
  writer.time(1, timeMs);
  writer.integer(2, number);
  writer.text(3, text);
  const body = writer.begin(5);
  writeAnyValue(writer, message);
  writer.end(body);
  writeAttributes(writer, 6, attributes);
  if (span !== undefined) {
    writer.fixed32(8, span.sampled ? 1 : 0);
    writer.hex(9, span.traceId);
    writer.hex(10, span.spanId);
  }
  writer.time(11, timeMs);
}
