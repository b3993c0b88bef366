/**
 * Sends ranges of files over connections. What is in memory goes from the page cache to a plain socket without a copy of ours
 * (`sendfile`, Linux), everything else piece by piece through a buffer.
 *
 * Only the event loop knows when a socket takes more. So when `sendfile` finds the socket full, one piece is written in the
 * usual way, and when that has left, the socket has room. A descriptor of Node.js is used between two turns of the event loop
 * only, in which nobody else can close it.
 */
import { closeSync, fstatSync, openSync, read } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type PageCache, openPageCache } from '@neve/castore/node';
import type { FileBody } from '../http-exchange.ts';
import { RecentMap } from '../recent-map.ts';
import type { BodySink } from './send-body.ts';

const readFile = promisify(read);

const pieceSize = 1 << 17;
/** So much is sent before others have their turn, at the most. */
const sendSize = 1 << 20;

/** Where sockets wait no longer than their clients, buffers are used again at once. */
const idleBuffers: Buffer[] = [];
const maxIdleBuffers = 32;

const pageCaches = new RecentMap<Promise<PageCache | undefined>>({ maxCost: 256 });

/** Gives how many bytes were sent; 0 when there is no room, or it cannot be done. */
type SendFile = (socket: number, file: number, range: { position: number; length: number }) => number;

let loading: Promise<SendFile | undefined> | undefined;

export class FileSender implements Disposable {
  readonly #file: number;
  readonly #cache: PageCache | undefined;
  readonly #sendFile: SendFile | undefined;
  readonly #body: FileBody;

  private constructor(
    body: FileBody,
    file: number,
    { cache, sendFile }: { cache: PageCache | undefined; sendFile: SendFile | undefined },
  ) {
    this.#body = body;
    this.#file = file;
    this.#cache = cache;
    this.#sendFile = sendFile;
  }

  /** Throws the system's error, and one for a file that ends before the range does. Dispose of it. */
  static async open(body: FileBody): Promise<FileSender> {
    const folder = dirname(body.file);
    let opening = pageCaches.get(folder);
    if (opening === undefined) {
      opening = openPageCache(folder);
      pageCaches.set(folder, opening);
    }
    loading ??= loadSendFile();
    const cache = await opening;
    const sendFile = await loading;
    const file = openSync(body.file, 'r');
    const { size } = fstatSync(file);
    if (size >= body.end) return new FileSender(body, file, { cache, sendFile });
    closeSync(file);
    throw new Error(`'${body.file}' has ${size} bytes, and its first ${body.end} were to be sent`);
  }

  /** Fulfilled when all of the range was given to the system. Throws `ClientGone`. */
  async send(sink: BodySink, response: ServerResponse): Promise<void> {
    const buffer = idleBuffers.pop() ?? Buffer.allocUnsafeSlow(pieceSize);
    const { end } = this.#body;
    try {
      let position = this.#body.start;
      while (position < end) {
        // The head has left with the first bytes of the body.
        if (sink.sentBytes > 0) position = await this.#sendWhileThereIsRoom(position, sink, response);
        if (position === end) return;
        const length = await this.#read(buffer, position);
        await sink.write(buffer.subarray(0, length));
        position += length;
      }
    } finally {
      if (idleBuffers.length < maxIdleBuffers) idleBuffers.push(buffer);
    }
  }

  /** Gives the position that was reached. */
  async #sendWhileThereIsRoom(start: number, sink: BodySink, response: ServerResponse): Promise<number> {
    let position = start;
    while (position < this.#body.end) {
      const sent = this.#sendDirectly(response, position);
      if (sent <= 0) break;
      position += sent;
      sink.sentBytes += sent;
      if (sent === sendSize) await turn();
    }
    return position;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  async #read(buffer: Buffer, position: number): Promise<number> {
    const piece = buffer.subarray(0, Math.min(buffer.length, this.#body.end - position));
    const count =
      this.#cache?.read(this.#file, piece, position) ??
      (await readFile(this.#file, piece, 0, piece.length, position)).bytesRead;
    if (count === 0) throw new Error(`'${this.#body.file}' was cut while it was sent`);
    return count;
  }

  #sendDirectly(response: ServerResponse, position: number): number {
    const { socket } = response;
    // Only what has left this process has left in order.
    if (this.#sendFile === undefined || socket === null || socket.writableLength > 0) return 0;
    const descriptor = plainDescriptor(socket);
    const length = Math.min(sendSize, this.#body.end - position);
    if (descriptor === undefined || !this.#isInMemory(position, length)) return 0;
    return this.#sendFile(descriptor, this.#file, { position, length });
  }

  /** As far as its ends tell. Others must not wait for a disk. */
  #isInMemory(position: number, length: number): boolean {
    const byte = new Uint8Array(1);
    return [position, position + length - 1].every((it) => this.#cache?.read(this.#file, byte, it) === 1);
  }
}

/** Of a socket whose bytes are those that the client gets; not of TLS. */
function plainDescriptor(socket: object): number | undefined {
  if ('encrypted' in socket) return undefined;
  // Node tells it of its own objects, but not its types.
  const { fd } = (socket as { _handle?: { fd?: unknown } | null })._handle ?? {};
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

async function loadSendFile(): Promise<SendFile | undefined> {
  // Offsets have eight bytes there.
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined;
  try {
    const { default: koffi } = await import('koffi');
    const sendfile = koffi
      .load(null)
      .func('int64_t sendfile(int socket, int file, _Inout_ int64_t *offset, size_t count)') as (
      ...args: unknown[]
    ) => number;
    const offset = new BigInt64Array(1);
    return (socket, file, { position, length }) => {
      offset[0] = BigInt(position);
      // What is wrong with the socket is seen when it is written to.
      return Math.max(0, sendfile(socket, file, offset, length));
    };
  } catch {
    return undefined;
  }
}
