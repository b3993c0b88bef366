/**
 * Spans, numbers and log records, sent by OTLP. What is sent waits in queues of limited length, from which more is dropped;
 * it is sent in the background, and nothing that happens to it fails the work. At the end there is a time limit, after
 * which what is left is lost. Of all problems a person hears once.
 */
import { connect } from 'node:net';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { LogReceiver } from '@neve/telemetry';
import type { MetricReceiver } from '@neve/telemetry';
import type { Tracer } from '@neve/telemetry';
import { logExporter, metricExporter, spanExporter } from './otlp-exporters.ts';
import { OtlpLogs } from './otlp-logs.ts';
import { OtlpMetrics } from './otlp-metrics.ts';
import {
  type Environment,
  type OtlpSettings,
  type Signal,
  endpointOf,
  readOtlpSettings,
} from './otlp-settings.ts';
import { OtlpTracer } from './otlp-tracer.ts';

export type OtlpOptions = {
  /** Unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES says otherwise. */
  readonly serviceName: string;
  readonly version: string;
  /** That of the process: the exporters read it as well. */
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
   * Sends what is left, for so many milliseconds at most; false when something may be left. Nothing is sent afterwards, but
   * a request that is under way may keep the process alive.
   */
  readonly end: (limitMs: number) => Promise<boolean>;
};

/** Never throws for what the world may do. */
export async function startOtlp(options: OtlpOptions): Promise<Otlp> {
  const settings = readOtlpSettings(options.environment, options);
  const warn = once(options.warn);
  listenToSdk(warn);
  if (settings.problems.length > 0) warn(settings.problems.join('; '));
  const { tracer, metrics, logs } = await open(settings, options);
  const parts = new Map<Signal, AsyncDisposable>();
  if (tracer !== undefined) parts.set('traces', tracer);
  if (metrics !== undefined) parts.set('metrics', metrics);
  if (logs !== undefined) parts.set('logs', logs);
  const end = async (limitMs: number): Promise<boolean> => {
    const limit = AbortSignal.timeout(limitMs);
    const ended = Array.from(parts, ([signal, part]) =>
      endPart(part, endpointOf(options.environment, signal, settings.signals.get(signal) ?? 'grpc'), limit),
    );
    return (await Promise.all(ended)).every(Boolean);
  };
  return { tracer, metrics, logs, end };
}

type Parts = {
  readonly tracer: OtlpTracer | undefined;
  readonly metrics: OtlpMetrics | undefined;
  readonly logs: OtlpLogs | undefined;
};

async function open(settings: OtlpSettings, { serviceName, version }: OtlpOptions): Promise<Parts> {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }))
    .merge(resourceFromAttributes({ 'process.pid': process.pid }))
    .merge(detectResources({ detectors: [envDetector] }));
  const [traces, numbers, records] = (['traces', 'metrics', 'logs'] as const).map((signal) =>
    settings.signals.get(signal),
  );
  const [spans, metrics, logs] = await Promise.all([
    traces && spanExporter(traces),
    numbers && metricExporter(numbers),
    records && logExporter(records),
  ]);
  const { metricIntervalMs, metricTimeoutMs, sampler } = settings;
  return {
    tracer:
      spans &&
      new OtlpTracer({
        ...{ resource, version, sampler },
        processor: new BatchSpanProcessor({ exporter: spans, ...settings.spans }),
      }),
    metrics:
      metrics &&
      new OtlpMetrics({
        ...{ resource, version },
        reader: new PeriodicExportingMetricReader({
          exporter: metrics,
          exportIntervalMillis: metricIntervalMs,
          exportTimeoutMillis: Math.min(metricTimeoutMs, metricIntervalMs),
        }),
      }),
    logs:
      logs &&
      new OtlpLogs({
        ...{ resource, version },
        processor: new BatchLogRecordProcessor({ exporter: logs, ...settings.logRecords }),
      }),
  };
}

/** What the SDK has to say is about the way to the collector. */
function listenToSdk(warn: (message: string) => void): void {
  const ignore = (): void => undefined;
  const take = (message: string, ...more: readonly unknown[]): void =>
    warn([message, ...more.map(String)].join(' '));
  const logger = { error: take, warn: take, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
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

/** Whether all was sent. Where nobody listens, nobody waits for the attempts that the exporter still has. */
// oxlint-disable-next-line eslint/max-params -- what, where to, and how long
async function endPart(part: AsyncDisposable, endpoint: string, limit: AbortSignal): Promise<boolean> {
  const sent = part[Symbol.asyncDispose]().then(
    () => true,
    () => false,
  );
  const tooLate = new Promise<boolean>((resolve) => {
    limit.addEventListener('abort', () => resolve(false), { once: true });
  });
  return await Promise.race([sent, tooLate, refusalOf(endpoint, limit)]);
}

/** False as soon as a connection is refused; nothing otherwise. */
function refusalOf(endpoint: string, limit: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const target = targetOf(endpoint);
    if (target === undefined) return;
    const socket = connect(target);
    const close = (): void => void socket.destroy();
    limit.addEventListener('abort', close, { once: true });
    socket.unref();
    socket.on('connect', close);
    socket.on('error', () => resolve(false));
  });
}

/** Undefined for what is no address of TCP. */
function targetOf(endpoint: string): { readonly host: string; readonly port: number } | undefined {
  if (!URL.canParse(endpoint)) return undefined;
  const { protocol, hostname, port } = new URL(endpoint);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) };
}
