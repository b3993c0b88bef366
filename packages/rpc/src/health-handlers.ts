/** The health protocol of gRPC: which services take calls, and since when they do not any more. */
import { messageCodec } from './codec.ts';
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from './generated/grpc/health/v1/health_pb.ts';
import { answer, answerMany, type Handler } from './handler.ts';
import type { MessageCodec, Method } from './method.ts';
import { RpcError } from './rpc-error.ts';

export const healthServiceName = 'grpc.health.v1.Health';

type HealthMethod = Method<
  MessageCodec<typeof HealthCheckRequestSchema>,
  MessageCodec<typeof HealthCheckResponseSchema>
>;

function healthMethod(name: string, streamsAnswer: boolean): HealthMethod {
  return {
    service: healthServiceName,
    name,
    streams: { request: false, answer: streamsAnswer },
    request: messageCodec(HealthCheckRequestSchema),
    answer: messageCodec(HealthCheckResponseSchema),
  };
}

export const healthMethods: { readonly check: HealthMethod; readonly watch: HealthMethod } = {
  check: healthMethod('Check', false),
  watch: healthMethod('Watch', true),
};

/** The health of a server and its services, all of which end together. */
export class Health {
  readonly #services: ReadonlySet<string>;
  #isServing = true;
  readonly #stopped = new AbortController();

  /** The empty name, for the server, is always known. */
  constructor(services: Iterable<string>) {
    this.#services = new Set(['', ...services]);
  }

  /** Watchers are told, and their calls end, so that they do not keep the server. */
  stop(): void {
    this.#isServing = false;
    this.#stopped.abort();
  }

  handlers(): readonly Handler[] {
    return [
      answer(healthMethods.check, async ({ service }) => {
        if (!this.#services.has(service)) throw new RpcError('not-found', `there is no service ${service}`);
        return { status: this.#status };
      }),
      answerMany(healthMethods.watch, ({ service }, signal) => this.#watch(service, signal)),
    ];
  }

  get #status(): ServingStatus {
    return this.#isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<{ status: ServingStatus }> {
    const isKnown = this.#services.has(service);
    yield { status: isKnown ? this.#status : ServingStatus.SERVICE_UNKNOWN };
    if (this.#isServing) await aborted(AbortSignal.any([signal, this.#stopped.signal]));
    if (!signal.aborted && isKnown) yield { status: ServingStatus.NOT_SERVING };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
