/** The server, loaded when it is started. */
import type { GrpcServer, ServeOptions, ServedServices } from './serve-grpc.ts';

/** Serves until it is disposed of. Throws `RpcError` (`unavailable`) when it cannot listen. */
export async function serveGrpc(services: ServedServices, options: ServeOptions): Promise<GrpcServer> {
  const { serve } = await import('./serve-grpc.ts');
  return serve(services, options);
}
