/**
 * A connection of a Tracy server: handshake, then frames of items in one direction and queries in the other, until one of
 * the two has had enough. Items wait for a few milliseconds, so that a frame holds many. A server that does not read what
 * it is sent is left.
 */
import type { Socket } from 'node:net';
import { storedFrame } from '../../tracy/lz4-frame.ts';
import {
  handshake,
  helloSize,
  keepAliveItem,
  maxFrameSize,
  onDemandMessage,
  protocolVersion,
  querySize,
  readHello,
  readQuery,
  terminateItem,
  welcomeMessage,
} from '../../tracy/queue-items.ts';
import { TracySession } from '../../tracy/tracy-session.ts';
import { type TracyEvent, startTime } from '../../tracy/tracy-tracer.ts';

const helloMs = 2000;
const delayMs = 10;
const keepAliveMs = 5000;
/** Less than a whole frame, so that no item is split. */
const fullSize = 64 * 1024;
/** What a server has not read yet. */
const maxUnread = 256 * 1024 * 1024;

export type ConnectionOptions = {
  readonly programName: string;
  readonly hostInfo: string;
  readonly epochSeconds: number;
  readonly threadName: (thread: number) => string | undefined;
  readonly now: () => bigint;
};

export class TracyConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: TracySession;
  readonly #closed: Promise<void>;
  hasClosed = false;
  #isWelcome = false;
  #received: Buffer = Buffer.alloc(0);
  #onBytes: () => void = () => {};
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = new TracySession(options.threadName);
    socket.unref();
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#onBytes();
    });
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.hasClosed = true;
        clearTimeout(this.#timer);
        resolve();
      });
    });
    // A server that is gone without a word.
    socket.on('end', () => socket.destroy());
  }

  /** Tells a server that there is one already. */
  static refuse(socket: Socket): void {
    socket.on('error', () => {});
    socket.end(Uint8Array.of(handshake.notAvailable));
  }

  /** Shakes hands. `takeHistory` gives what the server is told at once; undefined makes the session one "on demand". */
  async welcome(takeHistory: () => readonly TracyEvent[] | undefined): Promise<boolean> {
    const hello = await this.#hello();
    if (hello === undefined || hello.version !== protocolVersion) {
      if (hello !== undefined) this.#socket.write(Uint8Array.of(handshake.protocolMismatch));
      this.#socket.end();
      return false;
    }
    const { programName, hostInfo, epochSeconds, now } = this.#options;
    const history = takeHistory();
    const isOnDemand = history === undefined;
    const facts = { programName, hostInfo, epochSeconds, startTime, processId: process.pid, isOnDemand };
    this.#socket.write(Uint8Array.of(handshake.welcome));
    this.#socket.write(welcomeMessage(facts));
    if (isOnDemand) this.#socket.write(onDemandMessage(now()));
    this.#isWelcome = true;
    for (const event of history ?? []) this.tell(event);
    this.#onBytes = () => this.#answerQueries();
    this.#answerQueries();
    this.#later();
    return true;
  }

  tell(event: TracyEvent): void {
    if (!this.#isWelcome || this.hasClosed) return;
    for (const item of this.#session.items(event)) this.#put(item);
  }

  /** Sends the rest and says so; waits until the server has taken it, or until it has had so long. */
  async end(limitMs: number): Promise<void> {
    if (!this.#isWelcome || this.hasClosed) {
      this.#socket.destroy();
      return;
    }
    this.#put(terminateItem());
    this.#flush();
    this.#socket.ref();
    const limit = setTimeout(() => this.#socket.destroy(), limitMs);
    await this.#closed;
    clearTimeout(limit);
  }

  async #hello(): Promise<{ readonly version: number } | undefined> {
    const limit = setTimeout(() => this.#socket.destroy(), helloMs);
    limit.unref();
    await Promise.race([
      this.#closed,
      new Promise<void>((resolve) => {
        this.#onBytes = () => {
          if (this.#received.length >= helloSize) resolve();
        };
        this.#onBytes();
      }),
    ]);
    clearTimeout(limit);
    if (this.hasClosed) return undefined;
    const hello = readHello(this.#received.subarray(0, helloSize));
    this.#received = this.#received.subarray(helloSize);
    return hello;
  }

  #answerQueries(): void {
    while (this.#received.length >= querySize) {
      const answer = this.#session.answer(readQuery(this.#received.subarray(0, querySize)));
      this.#received = this.#received.subarray(querySize);
      if (answer === 'close') {
        this.#socket.destroy();
        return;
      }
      this.#put(answer);
    }
    this.#flush();
  }

  #put(item: Uint8Array): void {
    if (this.#pendingSize + item.length > maxFrameSize) this.#flush();
    this.#pending.push(item);
    this.#pendingSize += item.length;
    if (this.#pendingSize >= fullSize) this.#flush();
    else if (this.#pending.length === 1) this.#later();
  }

  /** What is pending is sent soon; when nothing is, a sign of life is, after a while. */
  #later(): void {
    clearTimeout(this.#timer);
    const isIdle = this.#pending.length === 0;
    const send = (): void => {
      if (isIdle) this.#put(keepAliveItem());
      this.#flush();
    };
    this.#timer = setTimeout(send, isIdle ? keepAliveMs : delayMs);
    this.#timer.unref();
  }

  #flush(): void {
    if (this.#pending.length === 0 || this.hasClosed) return;
    this.#socket.write(storedFrame(Buffer.concat(this.#pending)));
    this.#pending = [];
    this.#pendingSize = 0;
    this.#later();
    if (this.#socket.writableLength > maxUnread) this.#socket.destroy();
  }
}
