/** Log records as those of OpenTelemetry's SDK, with the ids of the span in which they were said. */
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { LogReceiver, LogRecord, LogSeverity } from '@neve/telemetry';
import { contextOf, defined } from './otlp-tracer.ts';

export type OtlpLogsOptions = {
  readonly resource: Resource;
  readonly processor: LogRecordProcessor;
  readonly version: string;
};

const severities: Readonly<Record<LogSeverity, { readonly number: SeverityNumber; readonly text: string }>> =
  {
    debug: { number: SeverityNumber.DEBUG, text: 'DEBUG' },
    info: { number: SeverityNumber.INFO, text: 'INFO' },
    warning: { number: SeverityNumber.WARN, text: 'WARN' },
    error: { number: SeverityNumber.ERROR, text: 'ERROR' },
  };

export class OtlpLogs implements LogReceiver, AsyncDisposable {
  readonly #provider: LoggerProvider;
  readonly #logger: Logger;

  constructor({ resource, processor, version }: OtlpLogsOptions) {
    this.#provider = new LoggerProvider({ resource, processors: [processor] });
    this.#logger = this.#provider.getLogger('neve', version);
  }

  emit({ severity, message, attributes, span, timeMs }: LogRecord): void {
    const { number, text } = severities[severity];
    this.#logger.emit({
      ...{ severityNumber: number, severityText: text, body: message, timestamp: timeMs },
      attributes: defined(attributes),
      ...(span !== undefined && { context: contextOf(span) }),
    });
  }

  flush(): Promise<void> {
    return this.#provider.forceFlush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
  }
}
