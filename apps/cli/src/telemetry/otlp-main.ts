/** Sends by OTLP what this process measures. A script of its own, since the SDK takes longer to load than most commands run. */
import { setLogs, setMetrics, setTracing } from '@neve/telemetry';
import { AsyncActiveSpans } from '@neve/telemetry/node';
import { startOtlp } from '@neve/telemetry/otlp';
import { write } from '../output.ts';

declare const NEVE_VERSION: string;

/** Ends what is sent, within a second; false when something is left that keeps the process alive. */
export type EndTelemetry = () => Promise<boolean>;

/** A collector that does not answer may hold a command up for so long at its end. */
const limitMs = 1000;

/** From now on everything is measured. `isAsked`: whether or not variables name an endpoint. */
export async function startTelemetry(
  serviceName: string,
  { isAsked }: { readonly isAsked: boolean },
): Promise<EndTelemetry> {
  const { tracer, metrics, logs, end } = await startOtlp({
    ...{ serviceName, version: NEVE_VERSION, environment: process.env, isAsked },
    warn: (message) => write(2, `warning: telemetry is incomplete: ${message}\n`),
  });
  if (tracer !== undefined) setTracing({ tracer, activeSpans: new AsyncActiveSpans() });
  setMetrics(metrics);
  setLogs(logs);
  return async () => {
    setTracing(undefined);
    setMetrics(undefined);
    setLogs(undefined);
    return await end(limitMs);
  };
}
