/**
 * A daemon for its clients. A command ends with its call: a client that goes away leaves nothing running that only it wanted.
 * Whoever cannot be the user of the daemon is told its state and nothing else.
 */
import {
  commandCalls,
  daemonProtocol,
  type DaemonCommand,
  type DaemonCommandName,
  type DaemonService,
} from './daemon-service.ts';
import { writeDaemonEvent, writeDaemonStatus } from './daemon-messages.ts';
import { commandMethod, daemonMethods } from './daemon-methods.ts';
import type {
  CommandRequest,
  CommandRequest_Command,
  CommandEventSchema,
} from './generated/neve/daemon/v1/daemon_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { answer, exchange, type Handler } from './handler.ts';
import { RpcError } from './rpc-error.ts';

export type DaemonAccess = {
  readonly service: DaemonService;
  /** Whether only the user that the daemon runs as can be connected. */
  readonly isPrivate: boolean;
};

export function daemonHandlers({ service, isPrivate }: DaemonAccess): readonly Handler[] {
  const requirePrivate = (): void => {
    if (isPrivate) return;
    throw new RpcError(
      'permission-denied',
      'whoever can reach this address may have another user: commands read files as the user of the daemon, and are run only for clients at its Unix socket',
    );
  };
  // The keys are those of the table.
  const names = Object.keys(commandCalls) as DaemonCommandName[];
  return [
    ...names.map((name) =>
      exchange(commandMethod(name), async function* (requests, signal) {
        requirePrivate();
        yield* run(service, { name, requests, signal });
      }),
    ),
    answer(daemonMethods.status, async () => writeDaemonStatus(service.status())),
    answer(daemonMethods.shutdown, async ({ now }) => {
      requirePrivate();
      const { processId } = service.status();
      service.shutdown({ now });
      return { processId };
    }),
  ];
}

type CommandCall = {
  readonly name: DaemonCommandName;
  readonly requests: AsyncIterable<CommandRequest>;
  readonly signal: AbortSignal;
};

async function* run(
  service: DaemonService,
  { name, requests, signal }: CommandCall,
): AsyncGenerator<MessageInitShape<typeof CommandEventSchema>, void, void> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  if (first.done === true || first.value.message.case !== 'command') {
    throw new RpcError('invalid-argument', 'the first message of a call has the command');
  }
  const command = readCommand(name, first.value.message.value);
  for await (const event of service.run(command, signalsOf(messages), signal)) {
    yield writeDaemonEvent(event);
  }
}

/** Throws `RpcError`. */
function readCommand(name: DaemonCommandName, message: CommandRequest_Command): DaemonCommand {
  const { protocol, words, directory, environment, standardInput, colour } = message;
  const { wantsProgress, showsProgress } = message;
  if (protocol !== daemonProtocol) {
    throw new RpcError(
      'failed-precondition',
      `the daemon speaks version ${daemonProtocol} of its protocol, and the client version ${protocol}: restart the daemon with the neve that is in use`,
    );
  }
  if (!directory.startsWith('/')) {
    throw new RpcError('invalid-argument', 'the directory of a command is an absolute path');
  }
  return { name, words, directory, environment, standardInput, colour, wantsProgress, showsProgress };
}

async function* signalsOf(messages: AsyncIterator<CommandRequest>): AsyncGenerator<string, void, void> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { message } = next.value;
    if (message.case === 'signal') yield message.value.name;
  }
}
