/**
 * How to get to a collector, for one signal, as the variables of OpenTelemetry say it
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): a variable of the signal counts before that of all. For headers,
 * both do.
 */
import { readFileSync } from 'node:fs';
import type { Environment, Protocol, Signal } from './otlp-settings.ts';

export type ExportSettings = {
  /** `http:` or `https:`; with gRPC also a socket in the file system, `unix:`. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For a batch with all attempts. */
  readonly timeoutMs: number;
  readonly isCompressed: boolean;
  readonly tls: TlsSettings;
};

export type TlsSettings = { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };

type Lookup = (name: string) => string | undefined;

/** Tells what it does not understand to `problem`. */
export function readExportSettings(
  environment: Environment,
  { signal, protocol, problem }: { signal: Signal; protocol: Protocol; problem: (message: string) => void },
): ExportSettings {
  const of = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const own = (name: string): string | undefined => of(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`);
  const lookup: Lookup = (name) => own(name) ?? of(`OTEL_EXPORTER_OTLP_${name}`);
  const timeout = lookup('TIMEOUT') ?? '10000';
  const timeoutMs = Number(timeout);
  const isTimeout = Number.isFinite(timeoutMs) && timeoutMs > 0;
  if (!isTimeout) problem(`the timeout ${timeout} is no positive number of milliseconds`);
  const compression = lookup('COMPRESSION') ?? 'none';
  if (compression !== 'none' && compression !== 'gzip') {
    problem(`the compression '${compression}' is not known; none is used`);
  }
  return {
    url: urlOf(environment, { signal, protocol, lookup, problem }),
    headers: {
      ...keyValues(of('OTEL_EXPORTER_OTLP_HEADERS'), problem),
      ...keyValues(own('HEADERS'), problem),
    },
    timeoutMs: isTimeout ? timeoutMs : 10_000,
    isCompressed: compression === 'gzip',
    tls: readTls(lookup, problem),
  };
}

/** `name=value,…` with values in percent-encoding, as headers and attributes of a resource have it. */
export function keyValues(
  text: string | undefined,
  problem: (message: string) => void,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const pair of (text ?? '').split(',')) {
    const at = pair.indexOf('=');
    if (at <= 0) {
      if (pair.trim() !== '') problem(`'${pair.trim()}' is no NAME=VALUE`);
      continue;
    }
    try {
      values[decodeURIComponent(pair.slice(0, at).trim())] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch {
      problem(`'${pair.trim()}' has a percent sign that is no encoding`);
    }
  }
  return values;
}

type UrlOptions = {
  readonly signal: Signal;
  readonly protocol: Protocol;
  readonly lookup: Lookup;
  readonly problem: (message: string) => void;
};

function urlOf(environment: Environment, { signal, protocol, lookup, problem }: UrlOptions): URL {
  const endpoint = lookup('ENDPOINT');
  if (protocol === 'grpc') return grpcUrl(endpoint, { lookup, problem });
  const isOwn = (environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`]?.trim() ?? '') !== '';
  const fallback = new URL(`http://localhost:4318/v1/${signal}`);
  if (endpoint === undefined) return fallback;
  // The endpoint of a signal is where it goes; that of all is where the paths of all begin.
  const text = isOwn ? endpoint : `${endpoint.replace(/\/$/, '')}/v1/${signal}`;
  if (/^https?:/.test(text) && URL.canParse(text)) return new URL(text);
  problem(`the endpoint ${endpoint} is no URL of HTTP; ${fallback.origin} is used`);
  return fallback;
}

/** A name and port alone are reached by TLS, unless a variable says that they are not. */
function grpcUrl(
  endpoint: string | undefined,
  { lookup, problem }: Pick<UrlOptions, 'lookup' | 'problem'>,
): URL {
  const fallback = new URL('http://localhost:4317');
  if (endpoint === undefined) return fallback;
  const isInsecure = lookup('INSECURE')?.toLowerCase() === 'true';
  const hasScheme = /^(https?|unix):/.test(endpoint);
  const text = hasScheme ? endpoint : `${isInsecure ? 'http' : 'https'}://${endpoint}`;
  if (URL.canParse(text)) return new URL(text);
  problem(`the endpoint ${endpoint} is no address; ${fallback.host} is used`);
  return fallback;
}

function readTls(lookup: Lookup, problem: (message: string) => void): TlsSettings {
  const read = (name: string): Buffer | undefined => {
    const path = lookup(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      problem(`the file of OTEL_EXPORTER_OTLP_${name} cannot be read: ${String(error)}`);
      return undefined;
    }
  };
  const ca = read('CERTIFICATE');
  const cert = read('CLIENT_CERTIFICATE');
  const key = read('CLIENT_KEY');
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
