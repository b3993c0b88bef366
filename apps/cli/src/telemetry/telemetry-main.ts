/**
 * Whoever receives what this process measures: a collector by OTLP, a trace file, Tracy. A script of its own, and what each
 * of them needs is loaded late.
 */
import {
  type LogReceiver,
  type MetricReceiver,
  type Tracer,
  combinedTracer,
  setLogs,
  setMetrics,
  setTracing,
} from '@neve/telemetry';
import { asyncActiveSpans, openTraceFile } from '@neve/telemetry/node';
import { write } from '../output.ts';
import type { WantedTelemetry } from './measured-command.ts';

declare const NEVE_VERSION: string;

/** Ends what is sent, within a second; false when something is left that keeps the process alive. */
export type EndTelemetry = () => Promise<boolean>;

type Receiver = {
  readonly tracer?: Tracer | undefined;
  readonly metrics?: MetricReceiver | undefined;
  readonly logs?: LogReceiver | undefined;
  readonly end: EndTelemetry;
};

/** A collector that does not answer may hold a command up for so long at its end. */
const limitMs = 1000;
/** Whoever looks at it wants all of it. */
const tracyLimitMs = 10_000;

/** From now on everything is measured. */
export async function startTelemetry(serviceName: string, wanted: WantedTelemetry): Promise<EndTelemetry> {
  const { otlp, traceFile, tracy } = wanted;
  const receivers: Receiver[] = [];
  // The first decides the ids of spans, and OTLP's may be bound by what a caller has decided.
  if (otlp !== undefined) receivers.push(await sendByOtlp(serviceName, otlp));
  if (traceFile !== undefined) receivers.push(writeTraceFile(serviceName, traceFile));
  if (tracy) receivers.push(await serveTracy(serviceName));
  const [first, ...others] = receivers.flatMap(({ tracer }) => tracer ?? []);
  if (first !== undefined) {
    setTracing({ tracer: combinedTracer([first, ...others]), activeSpans: asyncActiveSpans() });
  }
  setMetrics(receivers.find(({ metrics }) => metrics !== undefined)?.metrics);
  setLogs(receivers.find(({ logs }) => logs !== undefined)?.logs);
  return async () => {
    setTracing(undefined);
    setMetrics(undefined);
    setLogs(undefined);
    const ended = await Promise.all(receivers.map(({ end }) => end()));
    return ended.every(Boolean);
  };
}

async function sendByOtlp(serviceName: string, { isAsked }: { isAsked: boolean }): Promise<Receiver> {
  const { startOtlp } = await import('@neve/telemetry-otlp/node');
  const { tracer, metrics, logs, end } = startOtlp({
    ...{ serviceName, version: NEVE_VERSION, environment: process.env, isAsked },
    warn: (message) => write(2, `warning: telemetry is incomplete: ${message}\n`),
  });
  return { tracer, metrics, logs, end: () => end(limitMs) };
}

function writeTraceFile(serviceName: string, path: string): Receiver {
  const warn = (message: string): void => write(2, `warning: ${message}\n`);
  try {
    const file = openTraceFile({ path, processName: serviceName, warn });
    return {
      tracer: file.tracer,
      end: async () => {
        file.end();
        return true;
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    warn(`there will be no trace file: ${why}`);
    return { end: async () => true };
  }
}

async function serveTracy(serviceName: string): Promise<Receiver> {
  const { serveTracy: serve } = await import('@neve/telemetry/tracy');
  const warn = (message: string): void => write(2, `warning: ${message}\n`);
  const { tracer, end } = await serve({ programName: serviceName, environment: process.env, warn });
  return {
    tracer,
    end: async () => {
      await end(tracyLimitMs);
      return true;
    },
  };
}
