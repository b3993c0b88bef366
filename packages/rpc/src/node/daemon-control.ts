/** Asks a daemon what it does, and ends it. */
import type { AnyCodec, Method, Read, Written } from '../method.ts';
import { pathOf } from '../method.ts';
import { daemonMethods } from '../daemon-methods.ts';
import { type ReadDaemonStatus, readDaemonStatus } from '../daemon-messages.ts';
import { type LightTarget, lightCall } from './light-call.ts';
import { RpcError } from '../rpc-error.ts';

/** Throws `RpcError`. */
export async function daemonStatus(target: LightTarget): Promise<ReadDaemonStatus> {
  return readDaemonStatus(await ask(target, daemonMethods.status, {}));
}

/** It still works when this returns; gives the number of its process. Throws `RpcError`. */
export async function stopDaemon(target: LightTarget, options: { readonly now: boolean }): Promise<number> {
  return (await ask(target, daemonMethods.shutdown, options)).processId;
}

// oxlint-disable-next-line eslint/max-params -- whom, what, and with what
async function ask<Q extends AnyCodec, A extends AnyCodec>(
  target: LightTarget,
  method: Method<Q, A>,
  request: Written<Q>,
): Promise<Read<A>> {
  let answer: Uint8Array | undefined;
  const onMessage = (message: Uint8Array): void => void (answer = message);
  const call = lightCall(target, { method: pathOf(method), onMessage, silenceMs: 30_000 });
  call.send(method.request.encode(request));
  call.finish();
  await call.ended;
  if (answer === undefined) throw new RpcError('internal', 'the server gave no answer');
  // What a codec decodes is what its method says.
  return method.answer.decode(answer) as Read<A>;
}
