/** Sockets that a server listens on, however they came to be. */
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type ListenOptions, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { NarBridgeError } from '../nar-bridge-error.ts';
import {
  type Activation,
  activatedDescriptors,
  parseListenAddress,
  printTcpAddress,
} from './listen-address.ts';

export type Listening = {
  readonly server: Server;
  readonly isUnix: boolean;
  /** `host:port` or the path of a socket. */
  readonly at: string;
  /** Accepts nothing more; fulfilled when all connections have ended. */
  readonly close: () => Promise<void>;
};

export type ListenSettings = { readonly activation: Activation; readonly socketMode: number };

/** One for each socket, of which systemd may give several. Throws `NarBridgeError`. */
export async function listenAt(
  text: string,
  createServer: () => Server,
  { activation, socketMode }: ListenSettings,
): Promise<readonly Listening[]> {
  const address = parseListenAddress(text);
  switch (address.kind) {
    case 'tcp':
      return [await listen(createServer(), { host: address.host, port: address.port }, text)];
    case 'unix':
      return [await listenAtPath(createServer(), address.path, socketMode)];
    case 'systemd': {
      const descriptors = activatedDescriptors(activation, { ownPid: process.pid, name: address.name });
      const opened: Listening[] = [];
      for (const fd of descriptors)
        opened.push(await listen(createServer(), { fd }, `${text} (descriptor ${fd})`));
      return opened;
    }
  }
}

/** The socket is made in a folder of its own, where nobody else may go, and moved when it has its mode. */
async function listenAtPath(server: Server, path: string, mode: number): Promise<Listening> {
  await removeStaleSocket(path);
  const folder = await mkdtemp(join(dirname(path), '.s')).catch((cause: Error) => {
    throw new NarBridgeError('cannot-listen', `cannot listen at unix:${path}: ${cause.message}`, { cause });
  });
  try {
    const made = join(folder, 's');
    const listening = await listen(server, { path: made }, `unix:${path}`);
    await chmod(made, mode);
    await rename(made, path);
    const close = async (): Promise<void> => {
      await rm(path, { force: true });
      await listening.close();
    };
    return { ...listening, at: path, close };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function listen(
  server: Server,
  options: ListenOptions | { readonly fd: number },
  shown: string,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new NarBridgeError('cannot-listen', `cannot listen at ${shown}: ${cause.message}`, { cause }));
    });
    server.listen(options, () => resolve(describe(server)));
  });
}

function describe(server: Server): Listening {
  const address = server.address();
  const isUnix = address === null || typeof address === 'string';
  return {
    server,
    isUnix,
    at: isUnix ? (address ?? '') : printTcpAddress(address.address, address.port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** Removes the socket of a server that was killed: nobody answers there. Throws for one where somebody does. */
async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  const isDead = stats.isSocket() && (await connectError(path)) === 'ECONNREFUSED';
  if (isDead) await rm(path, { force: true });
  else {
    const problem = stats.isSocket() ? 'another server is there' : 'it is a file and no socket';
    throw new NarBridgeError('cannot-listen', `cannot listen at unix:${path}: ${problem}`);
  }
}

function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}
