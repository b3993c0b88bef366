/** The span of a call, on the side that calls; its context goes along as `traceparent`. */
import { type Span, activeSpan, printTraceHeaders, startSpan } from '@neve/telemetry';
import type { Metadata } from '@grpc/grpc-js';
import type { AnyMethod } from '../method.ts';
import type { GrpcModule } from './load-grpc.ts';

/** Undefined while nobody listens. */
export function startCallSpan(method: AnyMethod): Span | undefined {
  const { service, name } = method;
  return startSpan(`${service}/${name}`, {
    kind: 'client',
    attributes: { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': name },
  });
}

export function callMetadata({ Metadata: make }: GrpcModule, span: Span | undefined): Metadata {
  const metadata = new make();
  const context = (span ?? activeSpan())?.context;
  if (context === undefined) return metadata;
  for (const [name, value] of Object.entries(printTraceHeaders(context))) metadata.set(name, value);
  return metadata;
}
