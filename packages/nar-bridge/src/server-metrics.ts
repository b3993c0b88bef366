/**
 * What a server and its caches do, counted, as the text that Prometheus reads (exposition format 0.0.4).
 *
 *     neve_http_requests_total{route,method,status}           neve_http_request_duration_seconds{route} (histogram)
 *     neve_http_sent_bytes_total{route}                       neve_http_received_bytes_total{route}
 *     neve_http_requests_in_flight                            neve_http_failures_total
 *     neve_http_connections_closed_total{reason}              neve_cache_nars_uploaded_total, …_bytes_total
 *     neve_cache_paths_added_total                            neve_cache_uploads_refused_total{status}
 *
 * A route is one of a few kinds of files, so that no client can make a series of its own.
 */
import type { CacheEvent } from './cache-event.ts';
import type { ServerEvent } from './server-event.ts';

/** In seconds. */
const durationBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
] as const;

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']);

export class ServerMetrics {
  readonly #counters = new Map<string, Counter>();
  readonly #durations = new Map<string, Histogram>();
  #inFlight = 0;

  constructor() {
    const declare = (name: string, help: string): void => {
      this.#counters.set(name, new Counter(name, help));
    };
    declare('neve_http_requests_total', 'Requests that were answered.');
    declare('neve_http_sent_bytes_total', 'Bytes of bodies that were sent.');
    declare('neve_http_received_bytes_total', 'Bytes of bodies that were received.');
    declare('neve_http_failures_total', 'Requests that failed because of the server.');
    declare('neve_http_connections_closed_total', 'Connections that were closed because of their clients.');
    declare('neve_cache_nars_uploaded_total', 'NARs that were put.');
    declare('neve_cache_nars_uploaded_bytes_total', 'Bytes of the files of these.');
    declare('neve_cache_paths_added_total', 'Paths that became visible.');
    declare('neve_cache_uploads_refused_total', 'Uploads that were refused.');
  }

  /** Requests that are being answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Takes part in what a server tells. */
  readonly observeServer = (event: ServerEvent): void => {
    switch (event.kind) {
      case 'request-began':
        this.#inFlight++;
        return;
      case 'request-failed':
        this.#add('neve_http_failures_total', {});
        return;
      case 'connection-closed':
        this.#add('neve_http_connections_closed_total', { reason: event.reason });
        return;
      case 'request-ended': {
        this.#inFlight--;
        const route = routeOf(event.path);
        const method = methods.has(event.method) ? event.method : 'other';
        this.#add('neve_http_requests_total', { route, method, status: String(event.status) });
        this.#add('neve_http_sent_bytes_total', { route }, event.sentBytes);
        this.#add('neve_http_received_bytes_total', { route }, event.receivedBytes);
        this.#observe(route, event.durationMs / 1000);
        return;
      }
      case 'listening':
      case 'closing':
        return;
    }
  };

  /** Takes part in what a cache tells. */
  readonly observeCache = (event: CacheEvent): void => {
    switch (event.kind) {
      case 'nar-uploaded':
        this.#add('neve_cache_nars_uploaded_total', {});
        this.#add('neve_cache_nars_uploaded_bytes_total', {}, event.fileSize);
        return;
      case 'path-added':
        this.#add('neve_cache_paths_added_total', {});
        return;
      case 'upload-refused':
        this.#add('neve_cache_uploads_refused_total', { status: String(event.status) });
    }
  };

  print(): string {
    const lines = [...this.#counters.values()].flatMap((it) => it.print());
    lines.push(
      '# HELP neve_http_requests_in_flight Requests that are being answered.',
      '# TYPE neve_http_requests_in_flight gauge',
      `neve_http_requests_in_flight ${this.#inFlight}`,
      '# HELP neve_http_request_duration_seconds From the head of a request to the end of its answer.',
      '# TYPE neve_http_request_duration_seconds histogram',
    );
    for (const [route, histogram] of this.#durations) {
      lines.push(...histogram.print('neve_http_request_duration_seconds', `route="${route}"`));
    }
    return `${lines.join('\n')}\n`;
  }

  #add(name: string, labels: Readonly<Record<string, string>>, amount = 1): void {
    this.#counters.get(name)?.add(labels, amount);
  }

  #observe(route: string, seconds: number): void {
    const histogram = this.#durations.get(route) ?? new Histogram();
    this.#durations.set(route, histogram);
    histogram.observe(seconds);
  }
}

/** The kind of file that a path names, in whatever cache. */
export function routeOf(path: string): string {
  if (path.endsWith('.narinfo')) return 'narinfo';
  if (path.includes('/nar/')) return 'nar';
  if (path.endsWith('/nix-cache-info')) return 'cache-info';
  const kind = /\/(log|debuginfo|build-trace-v2|realisations|serve)\//.exec(path)?.[1];
  if (kind !== undefined) return kind;
  if (path.endsWith('.ls')) return 'listing';
  return /^\/(healthz|readyz|metrics|openapi\.json)$/.test(path) ? 'server' : 'other';
}

/** Label values are those of this file's callers, and none has a quote or a backslash in it. */
class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Readonly<Record<string, string>>, amount: number): void {
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(',');
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  print(): readonly string[] {
    return [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} counter`,
      ...Array.from(
        this.#values,
        ([labels, value]) => `${this.#name}${labels === '' ? '' : `{${labels}}`} ${value}`,
      ),
    ];
  }
}

class Histogram {
  readonly #counts = new Array<number>(durationBounds.length).fill(0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    const index = durationBounds.findIndex((bound) => seconds <= bound);
    if (index !== -1) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    this.#sum += seconds;
  }

  print(name: string, labels: string): readonly string[] {
    let sum = 0;
    const buckets = durationBounds.map((bound, index) => {
      sum += this.#counts[index] ?? 0;
      return `${name}_bucket{${labels},le="${bound}"} ${sum}`;
    });
    return [
      ...buckets,
      `${name}_bucket{${labels},le="+Inf"} ${this.#count}`,
      `${name}_sum{${labels}} ${this.#sum}`,
      `${name}_count{${labels}} ${this.#count}`,
    ];
  }
}
