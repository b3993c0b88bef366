/**
 * The daemon on a Unix socket, its own or one that systemd has opened, or on standard input and output. Who may connect and who
 * is trusted is decided by the user at the other end; standard input is trusted, since whoever made the pipe decided that.
 *
 * At the end it takes no more clients and no more requests. Those under way have some time before they are given up.
 */
import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonState } from '../server/daemon-state.ts';
import { serveSession } from '../server/session.ts';
import { type Peer, type UserRules, trustOf } from '../server/user-rules.ts';
import { readPeer, readPeerCredentials } from './peer-credentials.ts';
import { StreamConnection } from './stream-connection.ts';

export type ServeNixDaemonOptions = {
  /** The absolute path of a socket, or `sd-listen` for those that systemd has opened. */
  readonly listen: string;
  readonly rules: UserRules;
  /** How long requests under way may go on after the end; 10 s unless given. */
  readonly graceMs?: number;
  readonly onEvent?: (event: ServerEvent) => void;
};

export type ServerEvent =
  | {
      readonly kind: 'accepted';
      readonly pid: number | undefined;
      readonly peer: Peer;
      readonly isTrusted: boolean;
    }
  | { readonly kind: 'refused'; readonly peer: Peer }
  /** A connection ended with an error, which its client was told if that was possible. */
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'bug'; readonly error: unknown };

export type NixDaemonServer = AsyncDisposable & { readonly address: string };

const maxConnections = 8000;

/** As many may have connected and not be taken yet, if the kernel lets them. */
const backlog = 4096;
const defaultGraceMs = 10_000;

/** Within which a client has to introduce itself. */
const greetingMs = 60_000;

/** Serves until it is disposed of. Throws `NixDaemonError` (`io`) when it cannot listen. */
export async function serveNixDaemon(
  daemon: DaemonState,
  options: ServeNixDaemonOptions,
): Promise<NixDaemonServer> {
  const host = new SocketHost(daemon, options);
  await host.listen();
  return host;
}

/** Serves the one client, which is trusted, until it ends. */
export async function serveStdio(
  daemon: DaemonState,
  { input, output, isTrusted = true, onEvent, signal }: StdioOptions,
): Promise<void> {
  const connection = new StreamConnection(input, output);
  await serveSession(connection, {
    daemon,
    isTrusted,
    onBug: (error) => onEvent?.({ kind: 'bug', error }),
    signal: signal === undefined ? connection.input.gone : AbortSignal.any([connection.input.gone, signal]),
  });
}

export type StdioOptions = {
  readonly input: Readable;
  readonly output: Writable;
  readonly isTrusted?: boolean;
  readonly onEvent?: (event: ServerEvent) => void;
  readonly signal?: AbortSignal;
};

class SocketHost implements NixDaemonServer {
  readonly #daemon: DaemonState;
  readonly #options: ServeNixDaemonOptions;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<StreamConnection, Promise<void>>();
  #isEnding = false;
  /** Ends what is under way. */
  readonly #abortion: AbortController = new AbortController();

  constructor(daemon: DaemonState, options: ServeNixDaemonOptions) {
    this.#daemon = daemon;
    this.#options = options;
  }

  get address(): string {
    return this.#options.listen;
  }

  async listen(): Promise<void> {
    const { listen } = this.#options;
    if (listen !== 'sd-listen') {
      await makeRoomFor(listen);
      await this.#open({ path: listen });
      // Who may connect is decided by who connects.
      await chmod(listen, 0o666);
      return;
    }
    for (const fd of systemdDescriptors()) await this.#open({ fd });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const connection of this.#sessions.keys()) connection.input.end();
    const { graceMs = defaultGraceMs } = this.#options;
    const timer = setTimeout(() => this.#abortion.abort(new Error('the daemon ends')), graceMs);
    await Promise.allSettled(this.#sessions.values());
    clearTimeout(timer);
    // Those that have not even begun to talk.
    for (const socket of this.#sockets) socket.destroySoon();
    await Promise.all(closed);
  }

  async #open(where: { readonly path: string } | { readonly fd: number }): Promise<void> {
    const server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true },
      (socket) => void this.#accept(socket),
    );
    server.maxConnections = maxConnections;
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const place = 'path' in where ? `'${where.path}'` : `the descriptor ${where.fd}`;
        reject(new NixDaemonError('io', `cannot listen on ${place}: ${cause.message}`, { cause }));
      });
      server.listen({ ...where, backlog }, resolve);
    });
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    try {
      const trust = await this.#authenticate(socket);
      if (trust !== undefined && !this.#isEnding) await this.#serve(socket, trust === 'trusted');
    } catch (error) {
      if (error instanceof Error) this.#options.onEvent?.({ kind: 'failed', error });
      else this.#options.onEvent?.({ kind: 'bug', error });
    } finally {
      socket.end();
      socket.destroySoon();
    }
  }

  async #authenticate(socket: Socket): Promise<'trusted' | 'not-trusted' | undefined> {
    const { rules, onEvent } = this.#options;
    const { pid, peer } = await findPeer(socket, rules);
    const trust = trustOf(peer, rules);
    if (trust === undefined) onEvent?.({ kind: 'refused', peer });
    else onEvent?.({ kind: 'accepted', pid, peer, isTrusted: trust === 'trusted' });
    return trust;
  }

  async #serve(socket: Socket, isTrusted: boolean): Promise<void> {
    const connection = new StreamConnection(socket, socket);
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), greetingMs);
    const session = serveSession(connection, {
      daemon: this.#daemon,
      isTrusted,
      onReady: () => clearTimeout(timer),
      onBug: (error) => this.#options.onEvent?.({ kind: 'bug', error }),
      signal: AbortSignal.any([connection.input.gone, this.#abortion.signal]),
    });
    this.#sessions.set(connection, session);
    try {
      await session;
    } finally {
      clearTimeout(timer);
      this.#sessions.delete(connection);
    }
  }
}

/** Where it is not known who connects, nobody has a name. */
async function findPeer(
  socket: Socket,
  { allowedUsers }: UserRules,
): Promise<{ readonly pid: number | undefined; readonly peer: Peer }> {
  try {
    const credentials = await readPeerCredentials(socket);
    return { pid: credentials.pid, peer: await readPeer(credentials) };
  } catch (error) {
    if (!(error instanceof NixDaemonError) || !allowedUsers.includes('*')) throw error;
    return { pid: undefined, peer: { user: undefined, groups: [] } };
  }
}

/** Removes a socket that nobody listens on any more. */
async function makeRoomFor(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isSocket())
    throw new NixDaemonError('io', `'${path}' is there and no socket; choose another place to listen`);
  if (await answers(path)) throw new NixDaemonError('io', `another daemon listens on '${path}'`);
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The first descriptor that systemd passes on. */
const firstDescriptor = 3;

/** Throws `NixDaemonError` (`io`) when there are none. */
function systemdDescriptors(): readonly number[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count = '' } = process.env;
  if (!/^[1-9][0-9]?$/.test(count) || (pid !== undefined && Number(pid) !== process.pid)) {
    throw new NixDaemonError('io', 'systemd has passed no socket on; is this started by a socket unit?');
  }
  return Array.from({ length: Number(count) }, (_, index) => firstDescriptor + index);
}
