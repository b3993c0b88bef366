/**
 * Sockets that systemd has opened: LISTEN_FDS of them, from descriptor 3 on, if LISTEN_PID is this process.
 *
 * Source: sd_listen_fds(3).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import type { Environment } from '../caller.ts';
import { type ReleaseConnections, holdConnections } from './hold-connections.ts';

const firstDescriptor = 3;

export type GivenSocket = {
  readonly listener: Server;
  /** Of a Unix socket, as far as it can be found. */
  readonly path: string | undefined;
  readonly release: ReleaseConnections;
};

export async function givenSockets(environment: Environment): Promise<readonly GivenSocket[]> {
  const { LISTEN_PID: owner, LISTEN_FDS: count = '' } = environment;
  if (owner !== String(process.pid) || !/^[1-9]\d{0,2}$/.test(count)) return [];
  const descriptors = Array.from({ length: Number(count) }, (_, index) => firstDescriptor + index);
  return await Promise.all(descriptors.map(listenAt));
}

function listenAt(fd: number): Promise<GivenSocket> {
  const listener = createServer();
  const release = holdConnections(listener);
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ fd }, () => {
      listener.off('error', reject);
      resolve({ listener, path: socketPathOf(fd), release });
    });
  });
}

/** Linux knows which socket a descriptor is, and where that is bound. */
function socketPathOf(fd: number): string | undefined {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n');
  // Num, RefCount, Protocol, Flags, Type, St, Inode, Path
  return rows.map((row) => /^(?:\S+\s+){6}(\d+) (\/.*)$/.exec(row)).find((row) => row?.[1] === inode)?.[2];
}
