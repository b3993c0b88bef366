/** Events and states of a daemon as messages, and back. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { DaemonEvent, DaemonProgress, DaemonQueue, DaemonStatus } from './daemon-service.ts';
import { daemonProtocol, progressKinds } from './daemon-service.ts';
import type {
  CommandEventSchema,
  CommandEvent_Progress_Kind,
  CommandEvent_ProgressSchema,
  StatusResponse,
  StatusResponseSchema,
  StatusResponse_Queue,
} from './generated/neve/daemon/v1/daemon_pb.ts';

export function writeDaemonEvent(event: DaemonEvent): MessageInitShape<typeof CommandEventSchema> {
  switch (event.kind) {
    case 'output':
      return {
        event: { case: event.file === 1 ? 'standardOutput' : 'standardError', value: event.bytes },
      };
    case 'interruptible':
      return { event: { case: 'interruptible', value: event.isInterruptible } };
    case 'progress': {
      return { event: { case: 'progress', value: writeProgress(event.progress) } };
    }
    case 'exit':
      return { event: { case: 'exitCode', value: event.code } };
    case 'alive':
      return {};
  }
}

function writeProgress(progress: DaemonProgress): MessageInitShape<typeof CommandEvent_ProgressSchema> {
  const { kind, inputs = [], bytes = 0, narSize = 0, totalBytes, expectedMs, ...rest } = progress;
  return {
    ...rest,
    // Their order is that of the numbers.
    kind: (progressKinds.indexOf(kind) + 1) as CommandEvent_Progress_Kind,
    inputs: [...inputs],
    bytes: BigInt(bytes),
    narSize: BigInt(narSize),
    ...(totalBytes !== undefined && { totalBytes: BigInt(totalBytes) }),
    ...(expectedMs !== undefined && { expectedMs: BigInt(Math.round(expectedMs)) }),
  };
}

export function writeDaemonStatus(status: DaemonStatus): MessageInitShape<typeof StatusResponseSchema> {
  const { commands, finishedCommands, memoryBytes, isEnding, ...rest } = status;
  return {
    ...rest,
    protocol: daemonProtocol,
    commands: commands.map(({ id, words, ...others }) => ({ id: BigInt(id), words: [...words], ...others })),
    finishedCommands: BigInt(finishedCommands),
    memoryBytes: BigInt(memoryBytes),
    ending: isEnding,
  };
}

/** What a client gets to know; `state` may be one that it does not know. */
export type ReadDaemonStatus = Omit<DaemonStatus, 'commands'> & {
  readonly protocol: number;
  readonly commands: readonly (Omit<DaemonStatus['commands'][number], 'state'> & {
    readonly state: string;
  })[];
};

export function readDaemonStatus(message: StatusResponse): ReadDaemonStatus {
  const { version, protocol, processId, uptimeSeconds } = message;
  return {
    ...{ version, protocol, processId, uptimeSeconds },
    commands: message.commands.map(({ id, name, words, directory, seconds, state }) => ({
      id: Number(id),
      ...{ name, words, directory, seconds, state },
    })),
    evaluations: readQueue(message.evaluations),
    builds: readQueue(message.builds),
    finishedCommands: Number(message.finishedCommands),
    memoryBytes: Number(message.memoryBytes),
    isEnding: message.ending,
  };
}

function readQueue(queue: StatusResponse_Queue | undefined): DaemonQueue {
  const { running = 0, waiting = 0, limit = 0 } = queue ?? {};
  return { running, waiting, limit };
}
