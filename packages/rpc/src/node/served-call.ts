/** What is measured of a call on the side that serves it: a span that continues the caller's, its bytes, how long it took. */
import {
  type Span,
  counter,
  currentMetrics,
  currentTracing,
  histogram,
  readTraceHeaders,
  startSpan,
  withActiveSpan,
} from '@neve/telemetry';
import type { AnyMethod } from '../method.ts';

const duration = histogram('rpc.server.call.duration', {
  unit: 's',
  description: 'Calls that were served, by method and status',
});
const bytes = counter('neve.rpc.server.io', {
  unit: 'By',
  description: 'Messages of calls that were served, by method and direction',
});

/** Undefined while nobody listens. `header` gives the metadata of the call. */
export function serveCall(
  method: AnyMethod,
  header: (name: string) => string | undefined,
): ServedCall | undefined {
  if (currentTracing() === undefined && currentMetrics() === undefined) return undefined;
  return new ServedCall(method, header);
}

export class ServedCall {
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #span: Span | undefined;
  readonly #startMs = performance.now();
  #hasEnded = false;

  constructor({ service, name }: AnyMethod, header: (name: string) => string | undefined) {
    this.#attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': name };
    this.#span = startSpan(`${service}/${name}`, {
      kind: 'server',
      attributes: this.#attributes,
      parent: readTraceHeaders(header),
    });
  }

  /** Spans of `work` are within that of the call. */
  within<T>(work: () => T): T {
    return withActiveSpan(this.#span, work);
  }

  received(size: number): void {
    bytes.add(size, { ...this.#attributes, direction: 'receive' });
  }

  sent(size: number): void {
    bytes.add(size, { ...this.#attributes, direction: 'send' });
  }

  fail(error: unknown, status: number): void {
    this.#span?.fail(error);
    this.end(status);
  }

  end(status = 0): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const code = { 'rpc.grpc.status_code': status };
    duration.record((performance.now() - this.#startMs) / 1000, { ...this.#attributes, ...code });
    this.#span?.set(code);
    this.#span?.end();
  }
}
