/**
 * What the standard variables of OpenTelemetry say (https://opentelemetry.io/docs/specs/otel/configuration/): which signals are
 * sent and how, who is sampled, how much waits. How to get to a collector is in `export-settings.ts`.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Signal = 'traces' | 'metrics' | 'logs';
export type Protocol = 'grpc' | 'http/protobuf';

export type SamplerSettings = {
  readonly kind: 'always_on' | 'always_off' | 'traceidratio';
  /** What is sampled by others is, and the rest is not; `kind` is for roots. */
  readonly isParentBased: boolean;
  readonly ratio: number;
};

/** Times in milliseconds. */
export type BatchSettings = {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
};

export type OtlpSettings = {
  /** Those that are sent, and how. */
  readonly signals: ReadonlyMap<Signal, Protocol>;
  readonly sampler: SamplerSettings;
  readonly spans: BatchSettings;
  readonly logRecords: BatchSettings;
  readonly metricIntervalMs: number;
  readonly metricTimeoutMs: number;
  /** Numbers are to say what has come since the last request. */
  readonly isDelta: boolean;
  /** What was not understood, for a person. */
  readonly problems: readonly string[];
};

/** Whether an endpoint is configured, and nobody has turned it off. */
export function isConfigured(environment: Environment): boolean {
  return (
    environment['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true' &&
    (hasGeneralEndpoint(environment) || signals.some((signal) => hasEndpoint(environment, signal)))
  );
}

const signals = ['traces', 'metrics', 'logs'] as const satisfies readonly Signal[];

/** `isAsked`: somebody wants all signals, wherever they go by default. */
export function readOtlpSettings(
  environment: Environment,
  { isAsked }: { readonly isAsked: boolean },
): OtlpSettings {
  const problems: string[] = [];
  const all = isAsked || hasGeneralEndpoint(environment);
  const isDisabled = environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true';
  const wanted = signals.filter(
    (signal) =>
      !isDisabled &&
      environment[`OTEL_${signal.toUpperCase()}_EXPORTER`] !== 'none' &&
      (all || hasEndpoint(environment, signal)),
  );
  const number = (name: string, otherwise: number): number => {
    const text = environment[name]?.trim() ?? '';
    if (text === '') return otherwise;
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    problems.push(`${name}=${text} is no positive number`);
    return otherwise;
  };
  const batch = (prefix: string, { delayMs, queue }: { delayMs: number; queue: number }): BatchSettings => ({
    maxQueueSize: number(`${prefix}_MAX_QUEUE_SIZE`, queue),
    maxExportBatchSize: number(`${prefix}_MAX_EXPORT_BATCH_SIZE`, 512),
    scheduledDelayMillis: number(`${prefix}_SCHEDULE_DELAY`, delayMs),
    exportTimeoutMillis: number(`${prefix}_EXPORT_TIMEOUT`, 30_000),
  });
  return {
    signals: new Map(wanted.map((signal) => [signal, protocolOf(environment, signal, problems)])),
    sampler: samplerOf(environment, problems),
    // An evaluation lets nobody else run, so that more waits than elsewhere.
    spans: batch('OTEL_BSP', { delayMs: 5000, queue: 16_384 }),
    logRecords: batch('OTEL_BLRP', { delayMs: 1000, queue: 2048 }),
    metricIntervalMs: number('OTEL_METRIC_EXPORT_INTERVAL', 60_000),
    metricTimeoutMs: number('OTEL_METRIC_EXPORT_TIMEOUT', 30_000),
    isDelta: isDelta(environment, problems),
    problems,
  };
}

/** `lowmemory` is the same for the instruments that there are. */
function isDelta(environment: Environment, problems: string[]): boolean {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  const text = environment[name]?.trim().toLowerCase() || 'cumulative';
  if (text !== 'cumulative' && text !== 'delta' && text !== 'lowmemory') {
    problems.push(`${name}=${text} is not known; numbers are cumulative`);
  }
  return text === 'delta' || text === 'lowmemory';
}

function endpointVariable(signal: Signal): string {
  return `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
}

function hasGeneralEndpoint(environment: Environment): boolean {
  return (environment['OTEL_EXPORTER_OTLP_ENDPOINT']?.trim() ?? '') !== '';
}

function hasEndpoint(environment: Environment, signal: Signal): boolean {
  return (environment[endpointVariable(signal)]?.trim() ?? '') !== '';
}

function protocolOf(environment: Environment, signal: Signal, problems: string[]): Protocol {
  const own = environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`]?.trim();
  const text = own || environment['OTEL_EXPORTER_OTLP_PROTOCOL']?.trim() || 'http/protobuf';
  if (text === 'grpc' || text === 'http/protobuf') return text;
  problems.push(`the protocol '${text}' is not spoken here; http/protobuf is used`);
  return 'http/protobuf';
}

function samplerOf(environment: Environment, problems: string[]): SamplerSettings {
  const text = environment['OTEL_TRACES_SAMPLER']?.trim() || 'parentbased_always_on';
  const argument = environment['OTEL_TRACES_SAMPLER_ARG']?.trim() || '1';
  const [, based, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(text) ?? [];
  if (kind === undefined) {
    problems.push(`OTEL_TRACES_SAMPLER=${text} is not known; everything is sampled`);
    return { kind: 'always_on', isParentBased: true, ratio: 1 };
  }
  const ratio = Number(argument);
  const isRatio = ratio >= 0 && ratio <= 1;
  if (!isRatio && kind === 'traceidratio') {
    problems.push(`OTEL_TRACES_SAMPLER_ARG=${argument} is no number from 0 to 1; everything is sampled`);
  }
  // The pattern has these names only.
  const known = kind as SamplerSettings['kind'];
  return { kind: known, isParentBased: based !== undefined, ratio: isRatio ? ratio : 1 };
}
