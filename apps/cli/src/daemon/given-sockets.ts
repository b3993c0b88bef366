/**
 * Sockets that systemd has opened: LISTEN_FDS of them, from descriptor 3 on, if LISTEN_PID is this process.
 *
 * Source: sd_listen_fds(3).
 */
import { type Server, createServer } from 'node:net';
import type { Environment } from '../caller.ts';

const firstDescriptor = 3;

export async function givenSockets(environment: Environment): Promise<readonly Server[]> {
  const { LISTEN_PID: owner, LISTEN_FDS: count = '' } = environment;
  if (owner !== String(process.pid) || !/^[1-9]\d{0,2}$/.test(count)) return [];
  const descriptors = Array.from({ length: Number(count) }, (_, index) => firstDescriptor + index);
  return await Promise.all(descriptors.map(listenAt));
}

function listenAt(fd: number): Promise<Server> {
  const listener = createServer();
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ fd }, () => {
      listener.off('error', reject);
      resolve(listener);
    });
  });
}
