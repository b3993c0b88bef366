/** The calls of the daemon. */
import { boundedCodec, messageCodec } from './codec.ts';
import { commandCalls, type DaemonCommandName } from './daemon-service.ts';
import {
  CommandEventSchema,
  CommandRequestSchema,
  ShutdownRequestSchema,
  ShutdownResponseSchema,
  StatusRequestSchema,
  StatusResponseSchema,
} from './generated/neve/daemon/v1/daemon_pb.ts';
import type { MessageCodec, Method } from './method.ts';

export const daemonServiceName = 'neve.daemon.v1.DaemonService';

/** Standard input is most of a request that is large. */
const requestLimits = { maxBytes: 64 * 1024 * 1024, maxFields: 262_144 } as const;

export type CommandMethod = Method<
  MessageCodec<typeof CommandRequestSchema>,
  MessageCodec<typeof CommandEventSchema>
>;

export function commandMethod(name: DaemonCommandName): CommandMethod {
  return {
    service: daemonServiceName,
    name: commandCalls[name],
    streams: { request: true, answer: true },
    request: boundedCodec(CommandRequestSchema, requestLimits),
    answer: messageCodec(CommandEventSchema),
  };
}

export const daemonMethods: {
  readonly status: Method<
    MessageCodec<typeof StatusRequestSchema>,
    MessageCodec<typeof StatusResponseSchema>
  >;
  readonly shutdown: Method<
    MessageCodec<typeof ShutdownRequestSchema>,
    MessageCodec<typeof ShutdownResponseSchema>
  >;
} = {
  status: {
    service: daemonServiceName,
    name: 'Status',
    streams: { request: false, answer: false },
    request: messageCodec(StatusRequestSchema),
    answer: messageCodec(StatusResponseSchema),
  },
  shutdown: {
    service: daemonServiceName,
    name: 'Shutdown',
    streams: { request: false, answer: false },
    request: messageCodec(ShutdownRequestSchema),
    answer: messageCodec(ShutdownResponseSchema),
  },
};
