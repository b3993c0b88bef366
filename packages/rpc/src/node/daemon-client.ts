/** A client that has the daemon run a command. What it needs to start is little. */
import { printTraceHeaders, startSpan } from '@neve/telemetry';
import { type ClientEvent, decodeEvent, encodeCommand, encodeSignal } from '../command-messages.ts';
import { commandCalls, type DaemonCommand } from '../daemon-service.ts';
import type { LightTarget } from './light-call.ts';
import { maxQuickBytes, quickCall } from './quick-call.ts';

export type CommandCallOptions = {
  /** In order; the last one is `exit`. Bytes are valid during the call only. */
  readonly onEvent: (event: ClientEvent) => void;
};

export interface CommandCall {
  /** Tells of a signal that the client was sent. */
  signal(name: string): void;
  /** Throws `RpcError`. */
  readonly ended: Promise<void>;
}

type Call = { readonly send: (message: Uint8Array) => void; readonly ended: Promise<void> };

export function callCommand(
  target: LightTarget,
  { name, ...command }: DaemonCommand,
  { onEvent }: CommandCallOptions,
): CommandCall {
  let isAnything = false;
  const service = 'neve.daemon.v1.DaemonService';
  const span = startSpan(`${service}/${commandCalls[name]}`, {
    kind: 'client',
    attributes: { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': commandCalls[name] },
  });
  const options = {
    ...(span !== undefined && { metadata: printTraceHeaders(span.context) }),
    // The full name is spelled out: what lists the calls would load their schemas.
    method: `/${service}/${commandCalls[name]}`,
    onMessage: (message: Uint8Array): void => {
      isAnything = true;
      const event = decodeEvent(message);
      if (event !== undefined) onEvent(event);
    },
  };
  const message = encodeCommand(command);
  let call: Call | undefined;
  const begin = (begun: Call): Promise<void> => {
    call = begun;
    begun.send(message);
    return begun.ended;
  };
  const run = async (): Promise<void> => {
    if (target.kind === 'socket' && message.length < maxQuickBytes) {
      await begin(quickCall(target.path, options));
      // It was refused without a word that is understood here, so that nothing has happened: it is asked why.
      if (isAnything) return;
    }
    const { lightCall } = await import('./light-call.ts');
    await begin(lightCall(target, options));
  };
  const ended = run().then(
    () => span?.end(),
    (error: unknown) => {
      span?.fail(error);
      span?.end();
      throw error;
    },
  );
  return { signal: (it) => call?.send(encodeSignal(it)), ended };
}

export { commandCalls } from '../daemon-service.ts';
export type { DaemonCommand, DaemonCommandName, DaemonProgress } from '../daemon-service.ts';
export { RpcError } from '../rpc-error.ts';
export type { ClientEvent } from '../command-messages.ts';
export type { LightTarget } from './light-call.ts';
