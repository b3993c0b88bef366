/**
 * Spans, numbers and log records, sent by OTLP. What is sent waits in queues of limited length, from which more is dropped;
 * it is sent in the background, and nothing that happens to it fails the work. At the end there is a time limit, after
 * which what is left is lost. Of all problems a person hears once. What speaks to a collector is loaded when there is
 * something to send.
 */
import type { Attributes, LogReceiver, MetricReceiver, Tracer } from '@neve/telemetry';
import { writeLogRecord } from '../log-encoding.ts';
import type { MessageWriter } from '../message-writer.ts';
import { writeMetric } from '../metric-encoding.ts';
import { MetricSums } from '../metric-sums.ts';
import type { Sender } from '../otlp-request.ts';
import { writeSpan } from '../span-encoding.ts';
import { BatchQueue } from './batch-queue.ts';
import { keyValues, readExportSettings } from './export-settings.ts';
import { Exporter } from './exporter.ts';
import { lateTransport } from './late-transport.ts';
import { MetricSchedule } from './metric-schedule.ts';
import { type BatchSettings, type Environment, type Signal, readOtlpSettings } from './otlp-settings.ts';
import { OtlpTracer } from './otlp-tracer.ts';

export type OtlpOptions = {
  /** Unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES says otherwise. */
  readonly serviceName: string;
  readonly version: string;
  readonly environment: Environment;
  /** Somebody wants it, though no variable says where to. */
  readonly isAsked: boolean;
  /** Is called once at most. */
  readonly warn: (message: string) => void;
};

/** Signals that are not sent are undefined. */
export type Otlp = {
  readonly tracer: Tracer | undefined;
  readonly metrics: MetricReceiver | undefined;
  readonly logs: LogReceiver | undefined;
  /**
   * Sends what is left, for so many milliseconds at most; false when something may be left. Nothing is sent afterwards, and
   * nothing keeps the process alive.
   */
  readonly end: (limitMs: number) => Promise<boolean>;
};

/** Sends what is left of a signal. */
type Part = { end(): Promise<boolean>; close(): void };

/** Never throws for what the world may do. */
export function startOtlp(options: OtlpOptions): Otlp {
  const { environment, version } = options;
  const settings = readOtlpSettings(environment, options);
  const warn = once(options.warn);
  const problems = [...settings.problems];
  const sender: Sender = { version, resource: resourceOf(options, (problem) => problems.push(problem)) };
  const parts: Part[] = [];
  const exporterOf = <T>(signal: Signal, write: Write<T>, limitMs: number): Exporter<T> | undefined => {
    const protocol = settings.signals.get(signal);
    if (protocol === undefined) return undefined;
    const problem = (message: string): void => void problems.push(message);
    const exporting = readExportSettings(environment, { signal, protocol, problem });
    const userAgent = `neve/${version}`;
    const transport = lateTransport(protocol, { settings: exporting, signal, userAgent });
    const timeoutMs = Math.min(exporting.timeoutMs, limitMs);
    return new Exporter({ transport, sender, write, timeoutMs, warn });
  };
  const queueOf = <T>(signal: Signal, write: Write<T>, batch: BatchSettings): BatchQueue<T> | undefined => {
    const exporter = exporterOf(signal, write, batch.exportTimeoutMillis);
    const queue = exporter && new BatchQueue(exporter, batch);
    if (queue !== undefined) parts.push(queue);
    return queue;
  };
  const spans = queueOf('traces', writeSpan, settings.spans);
  const records = queueOf('logs', writeLogRecord, settings.logRecords);
  const { metricIntervalMs, metricTimeoutMs } = settings;
  const numbers = exporterOf('metrics', writeMetric, Math.min(metricTimeoutMs, metricIntervalMs));
  const sums = new MetricSums(settings);
  if (numbers !== undefined) {
    parts.push(new MetricSchedule(sums, { exporter: numbers, intervalMs: metricIntervalMs }));
  }
  if (problems.length > 0) warn([...new Set(problems)].join('; '));
  return {
    tracer: spans && new OtlpTracer(settings.sampler, (span) => spans.push(span)),
    metrics: numbers && sums,
    logs: records && { emit: (record) => records.push(record) },
    end: (limitMs) => endAll(parts, limitMs),
  };
}

type Write<T> = (writer: MessageWriter, item: T) => void;

function resourceOf(
  { serviceName, version, environment }: OtlpOptions,
  problem: (message: string) => void,
): Attributes {
  const ofService = environment['OTEL_SERVICE_NAME']?.trim() ?? '';
  return {
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'neve',
    'telemetry.sdk.version': version,
    'service.name': serviceName,
    'service.version': version,
    'process.pid': process.pid,
    ...keyValues(environment['OTEL_RESOURCE_ATTRIBUTES'], problem),
    ...(ofService !== '' && { 'service.name': ofService }),
  };
}

/** The first only. */
function once(warn: (message: string) => void): (message: string) => void {
  let hasWarned = false;
  return (message) => {
    if (hasWarned) return;
    hasWarned = true;
    warn(message);
  };
}

async function endAll(parts: readonly Part[], limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const sent = Promise.all(parts.map((part) => part.end())).then((all) => all.every(Boolean));
  const isAllSent = await Promise.race([sent, tooLate]);
  clearTimeout(timer);
  for (const part of parts) part.close();
  return isAllSent;
}
