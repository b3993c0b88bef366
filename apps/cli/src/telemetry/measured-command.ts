/**
 * Whether and how a command is measured. This is in the first script that every command loads, and decides by a glance at the
 * words and a few variables; what measures is loaded when it is wanted.
 */
import { inSpan, parentFromEnvironment } from '@neve/telemetry';
import type { Environment } from '../caller.ts';
import { lastValue } from '../last-value.ts';
import { watchSignals } from './signal-watch.ts';
import type { EndTelemetry } from './telemetry-main.ts';

export type WantedTelemetry = {
  /** To a collector; `isAsked`: whether or not variables name an endpoint. */
  readonly otlp: { readonly isAsked: boolean } | undefined;
  /** `--trace-file` */
  readonly traceFile: string | undefined;
  /** `--tracer tracy` */
  readonly tracy: boolean;
};

const endpoints = ['', '_TRACES', '_METRICS', '_LOGS'].map((it) => `OTEL_EXPORTER_OTLP${it}_ENDPOINT`);

/** Undefined where nobody wants it. Of each option the last counts. */
export function wantedTelemetry(
  argv: readonly string[],
  environment: Environment,
): WantedTelemetry | undefined {
  // A shell that completes a word waits for nobody.
  if (argv[0] === 'complete') return undefined;
  const end = argv.indexOf('--');
  const words = argv.slice(0, end === -1 ? undefined : end);
  const otlp = wantedOtlp(words, environment);
  const traceFile = lastValue(argv, '--trace-file');
  const tracy = lastValue(argv, '--tracer') === 'tracy';
  return otlp === undefined && traceFile === undefined && !tracy ? undefined : { otlp, traceFile, tracy };
}

/** The last `--otlp` counts, before the variables. */
function wantedOtlp(words: readonly string[], environment: Environment): WantedTelemetry['otlp'] {
  const word = words.findLast((it) => it === '--otlp' || it.startsWith('--otlp='));
  const isDisabled = environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true';
  if (isDisabled || word === '--otlp=false') return undefined;
  if (word !== undefined) return { isAsked: true };
  const isConfigured = endpoints.some((name) => (environment[name] ?? '') !== '');
  return isConfigured ? { isAsked: false } : undefined;
}

/** What a process calls itself: those that serve have names of their own. */
export function serviceNameOf([first = '', second = '']: readonly string[]): string {
  return isServer(first, second) ? `neve-${first === 'store' ? 'store-daemon' : first}` : 'neve';
}

/**
 * Runs a command in a span of its own, within the trace that TRACEPARENT names. What serves has none: each of its requests
 * is a trace, or part of the caller's.
 */
export async function runMeasured(argv: readonly string[], run: () => Promise<number>): Promise<number> {
  const [first = '', second = ''] = argv;
  if (isServer(first, second)) return await run();
  const words = first === 'store' || first === 'cache' || first === 'daemon' ? [first, second] : [first];
  const name = ['neve', ...words.filter((word) => /^[a-z-]+$/.test(word))].join(' ');
  return await inSpan(name, { parent: parentFromEnvironment(process.env) }, async (span) => {
    const exitCode = await run();
    span?.set({ 'process.exit.code': exitCode });
    if (exitCode !== 0) span?.fail(new Error(`the command ended with exit code ${exitCode}`));
    return exitCode;
  });
}

/** Ends what measures when `run` has ended, or was ended by a signal; then the process ends, whatever a collector does. */
export async function measureToEnd(end: EndTelemetry, run: () => Promise<void>): Promise<void> {
  {
    using watch = watchSignals(end);
    try {
      await run();
    } catch (error) {
      await watch.conclude();
      await end();
      throw error;
    }
    await watch.conclude();
  }
  const isAllSent = await end();
  // A request that nobody answers would keep the process.
  if (!isAllSent) process.exit();
}

function isServer(first: string, second: string): boolean {
  const servesAlone = first === 'nix-daemon' || first === 'nar-bridge';
  const isDaemon = first === 'daemon' && !/^[a-z]/.test(second);
  return (
    servesAlone ||
    isDaemon ||
    (first === 'store' && second === 'daemon') ||
    (first === 'cache' && second === 'serve')
  );
}
