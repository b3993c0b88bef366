/**
 * The flow-control windows of a server. grpc-js 1.14 has an option for them and heeds it on clients only: a server lets
 * 64 KiB of an upload be on their way. This reaches for two fields of it that are not public, and does nothing where they
 * are not as expected.
 */
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { flowControlWindow } from './load-grpc.ts';

type Internals = {
  readonly commonServerOptions?: { settings?: Record<string, number> };
  readonly createHttp2Server?: (...parameters: readonly unknown[]) => Http2Server;
};

export function widenWindows(server: Server): void {
  const internals = server as unknown as Internals & { createHttp2Server?: unknown };
  const { commonServerOptions, createHttp2Server } = internals;
  if (typeof commonServerOptions !== 'object' || typeof createHttp2Server !== 'function') return;
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize: flowControlWindow };
  internals.createHttp2Server = (...parameters: readonly unknown[]): Http2Server => {
    const created = createHttp2Server.apply(server, [...parameters]);
    created.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(flowControlWindow));
    return created;
  };
}
