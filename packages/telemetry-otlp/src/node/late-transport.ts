/** A transport whose code is loaded by the first request. */
import type { GrpcTransportOptions } from './grpc-transport.ts';
import type { Protocol } from './otlp-settings.ts';
import { type Transport, failureOf } from './transport.ts';

export function lateTransport(protocol: Protocol, options: GrpcTransportOptions): Transport {
  let loading: Promise<Transport> | undefined;
  let isClosed = false;
  return {
    send: async (body, timeoutMs) => {
      try {
        const transport = await (loading ??= load(protocol, options));
        // It may have been closed while it was loaded.
        if (isClosed) return { kind: 'refused', why: 'the process ends' };
        return await transport.send(body, timeoutMs);
      } catch (error) {
        return failureOf(error);
      }
    },
    close: () => {
      isClosed = true;
      void loading?.then((transport) => transport.close());
    },
  };
}

async function load(protocol: Protocol, options: GrpcTransportOptions): Promise<Transport> {
  if (protocol === 'grpc') {
    const { GrpcTransport } = await import('./grpc-transport.ts');
    return new GrpcTransport(options);
  }
  const { HttpTransport } = await import('./http-transport.ts');
  return new HttpTransport(options.settings, options.userAgent);
}
