/**
 * The client side of Tracy 0.11.1: it is the client that listens, on TCP port 8086 of loopback (TRACY_PORT: that port alone;
 * otherwise the next free one of twenty), and tells where by UDP until a server (the profiler, or `tracy-capture`) has come.
 *
 * The first server that connects gets everything from the beginning, as long as that is not too much; later ones get what
 * begins from then on ("on demand"). There is one at a time. At the end the server gets the rest and has to say that it has
 * it. With TRACY_NO_EXIT=1 the process then waits for one that has not come yet.
 */
import { type Socket as UdpSocket, createSocket } from 'node:dgram';
import { type Server, type Socket, createServer } from 'node:net';
import { hostname, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tracer } from '../../span.ts';
import { broadcastMessage } from '../../tracy/queue-items.ts';
import { type TracyEvent, TracyTracer } from '../../tracy/tracy-tracer.ts';
import { TracyConnection } from './tracy-connection.ts';

const defaultPort = 8086;
const portsTried = 20;
const broadcastPort = 8086;
/** Everybody on this machine who listens for clients. */
const broadcastAddress = '127.255.255.255';
const broadcastMs = 3000;
/** More is not kept for a server that may come. */
const maxHistory = 500_000;

export type TracyOptions = {
  readonly programName: string;
  /** TRACY_PORT, TRACY_NO_EXIT. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly warn: (message: string) => void;
};

export type TracyServed = {
  readonly tracer: Tracer;
  /** Where it listens; undefined if it could not. */
  readonly port: number | undefined;
  /** Ends all zones, gives the rest to the server, and listens no more. The server may take so long. */
  readonly end: (limitMs: number) => Promise<void>;
};

export async function serveTracy(options: TracyOptions): Promise<TracyServed> {
  const client = new TracyClient(options);
  await client.listen();
  return {
    tracer: client.tracer,
    port: client.port,
    end: (limitMs) => client.end(limitMs),
  };
}

class TracyClient {
  readonly tracer: TracyTracer;
  readonly #options: TracyOptions;
  readonly #startedMs: number = Date.now();
  readonly #server: Server;
  #udp: UdpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  port: number | undefined;
  /** What happened before a server came; undefined once one has come, or there was too much. */
  #history: TracyEvent[] | undefined = [];
  #connection: TracyConnection | undefined;
  #wasServed = false;

  constructor(options: TracyOptions) {
    this.#options = options;
    this.tracer = new TracyTracer((event) => this.#take(event));
    this.#server = createServer((socket) => {
      this.#accept(socket).catch((error: unknown) => {
        socket.destroy();
        options.warn(`a server of Tracy was not served: ${String(error)}`);
      });
    });
    this.#server.unref();
  }

  async listen(): Promise<void> {
    const { TRACY_PORT: wanted = '' } = this.#options.environment;
    const ports =
      wanted === ''
        ? Array.from({ length: portsTried }, (_, index) => defaultPort + index)
        : [Number(wanted)];
    for (const port of ports) {
      if (!(await listenOn(this.#server, port))) continue;
      this.port = port;
      this.#broadcast();
      return;
    }
    this.#history = undefined;
    this.#options.warn(`Tracy cannot connect: port ${ports.join(', ')} is taken or not allowed`);
  }

  #take(event: TracyEvent): void {
    this.#connection?.tell(event);
    if (this.#history === undefined) return;
    this.#history.push(event);
    if (this.#history.length > maxHistory) this.#history = undefined;
  }

  async #accept(socket: Socket): Promise<void> {
    if (this.#connection !== undefined && !this.#connection.hasClosed) {
      TracyConnection.refuse(socket);
      return;
    }
    const connection = new TracyConnection(socket, {
      programName: this.#options.programName,
      hostInfo: `${process.platform} ${release()} ${process.arch}\nhost: ${hostname()}\n`,
      epochSeconds: Math.floor(this.#startedMs / 1000),
      threadName: (thread) => this.tracer.threadName(thread),
      now: () => this.tracer.now(),
    });
    this.#connection = connection;
    const isWelcome = await connection.welcome(() => {
      // Nothing is awaited between this and what follows: no event is lost, and none comes twice.
      const history = this.#history;
      this.#history = undefined;
      return history;
    });
    if (isWelcome) {
      this.#wasServed = true;
      this.#tellWhere(-1);
    }
  }

  /** Tells every few seconds that it is there. Nobody has to hear it. */
  #broadcast(): void {
    const udp = createSocket('udp4');
    udp.unref();
    udp.on('error', () => this.#stopBroadcast());
    udp.bind(0, '127.0.0.1', () => {
      udp.setBroadcast(true);
      this.#udp = udp;
      const tell = (): void => this.#tellWhere(Math.floor((Date.now() - this.#startedMs) / 1000));
      tell();
      this.#timer = setInterval(() => {
        if (this.#connection === undefined || this.#connection.hasClosed) tell();
      }, broadcastMs);
      this.#timer.unref();
    });
  }

  #tellWhere(activeSeconds: number): void {
    const { port } = this;
    if (port === undefined) return;
    const { programName } = this.#options;
    const message = broadcastMessage({ programName, port, processId: process.pid, activeSeconds });
    this.#udp?.send(message, broadcastPort, broadcastAddress, () => {});
  }

  #stopBroadcast(): void {
    clearInterval(this.#timer);
    this.#udp?.close();
    this.#udp = undefined;
  }

  async end(limitMs: number): Promise<void> {
    this.tracer.endAll();
    if (this.#options.environment['TRACY_NO_EXIT'] === '1' && this.port !== undefined) await this.#aServer();
    await this.#connection?.end(limitMs);
    this.#tellWhere(-1);
    this.#stopBroadcast();
    this.#server.close();
  }

  async #aServer(): Promise<void> {
    while (!this.#wasServed) await sleep(20);
  }
}

async function listenOn(server: Server, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const refused = (): void => resolve(false);
    server.once('error', refused);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', refused);
      server.on('error', () => {});
      resolve(true);
    });
  });
}
