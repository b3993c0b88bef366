/**
 * The connection with the kernel over an open `/dev/fuse` that is mounted.
 *
 * Reading the device blocks, so a thread of its own reads requests into a ring of shared memory. It sends a message only
 * when the main thread had found the ring empty. The main thread answers by writing to the device, which never blocks;
 * answers may come in any order and at any time. An answer that the kernel no longer wants (a reader was killed) is not
 * sent, and its reader not kept waiting.
 *
 *     control   i32 each: requests written, requests taken, 1 while the main thread sleeps, what to do at the next request
 *     slots     one request each
 */
import { closeSync, writeSync, writevSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { CastoreError } from '../../castore-error.ts';
import type { FuseAnswer, LaterAnswer } from './castore-file-system.ts';
import {
  decodeRequest,
  encodeInit,
  encodeInitVersion,
  errno,
  fuseVersion,
  initFlags,
  maxRequestBytes,
  replyHeaderBytes,
  writeReplyHeader,
} from './fuse-protocol.ts';
import type { FuseOperation, FuseRequest } from './fuse-protocol.ts';

/** A power of two. */
const slots = 64;

const control = { written: 0, taken: 1, asleep: 2, stop: 3 } as const;
const controlBytes = 16;

/** What the thread does at the next request: go on, end, or end and close the device. */
const stop = { no: 0, end: 1, close: 2 } as const;

/** Replies up to this size are written from one buffer. */
const smallReplyBytes = 16_384;

/** Pages of 4 KiB in the largest read. */
const maxPages = 256;

/**
 * Plain JavaScript, so that it needs no file of its own in a bundle. It ends with a message: the code of an error of the
 * device (`ENODEV` when the file system was unmounted), or an empty text when it was told to.
 */
const readerSource = `
const { parentPort, workerData } = require('node:worker_threads');
const { closeSync, readSync } = require('node:fs');
const { fd, shared, slots, slotBytes } = workerData;
const control = new Int32Array(shared, 0, 4);
let written = 0;
let end;
while (end === undefined) {
  while (true) {
    const taken = Atomics.load(control, ${control.taken});
    if (((written - taken) | 0) < slots) break;
    Atomics.wait(control, ${control.taken}, taken);
  }
  const slot = new Uint8Array(shared, ${controlBytes} + (written & (slots - 1)) * slotBytes, slotBytes);
  try {
    readSync(fd, slot, 0, slotBytes, null);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EINTR' || error.code === 'EAGAIN') continue;
    end = error.code;
    continue;
  }
  const stop = Atomics.load(control, ${control.stop});
  if (stop !== ${stop.no}) {
    if (stop === ${stop.close}) closeSync(fd);
    end = '';
    continue;
  }
  written = (written + 1) | 0;
  Atomics.store(control, ${control.written}, written);
  if (Atomics.exchange(control, ${control.asleep}, 0) === 1) parentPort.postMessage(undefined);
}
parentPort.postMessage(end);
`;

/** Answers requests other than `init` and `interrupt`. */
export type FuseHandler = (request: FuseRequest) => FuseAnswer | LaterAnswer | undefined;

export class FuseConnection {
  /** Fulfilled when the kernel is ready for use; rejected when it will not be. */
  readonly ready: Promise<void>;
  /** Fulfilled when the connection is over, whoever ended it. Rejected when the device fails. */
  readonly ended: Promise<void>;

  readonly #fd: number;
  readonly #handler: FuseHandler;
  readonly #control: Int32Array;
  readonly #requests: Uint8Array;
  readonly #reply = new Uint8Array(smallReplyBytes);
  readonly #pending = new Set<number>();
  readonly #answering = new Set<Promise<unknown>>();
  readonly #ready = deferred();
  #taken = 0;
  #isOpen = true;

  /** Owns `fd` from now on. */
  constructor(fd: number, handler: FuseHandler) {
    this.#fd = fd;
    this.#handler = handler;
    const shared = new SharedArrayBuffer(controlBytes + slots * maxRequestBytes);
    this.#control = new Int32Array(shared, 0, 4);
    this.#requests = new Uint8Array(shared, controlBytes);
    this.ready = this.#ready.promise;
    this.ready.catch(() => undefined);
    const worker = new Worker(readerSource, {
      eval: true,
      workerData: { fd, shared, slots, slotBytes: maxRequestBytes },
      execArgv: [],
      name: 'fuse reader',
    });
    this.ended = new Promise((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        if (typeof message === 'string') this.#end(message).then(resolve, reject);
        else this.#takeRequests();
      });
      worker.on('error', reject);
    });
    this.ended.catch(() => undefined);
    this.#takeRequests();
  }

  /** Lets the thread end at the next request, which gets no answer; the device is closed then, and the mount is dead. */
  endAtNextRequest(): void {
    Atomics.store(this.#control, control.stop, stop.end);
  }

  /** The same without this thread's help, for when it ends as well: nothing may be answered afterwards. */
  abandonAtNextRequest(): void {
    this.#isOpen = false;
    Atomics.store(this.#control, control.stop, stop.close);
  }

  /** Waits for requests that are still being answered, after whoever answers was told to give up. */
  async settled(): Promise<void> {
    while (this.#answering.size > 0) await Promise.all(this.#answering);
  }

  async #end(code: string): Promise<void> {
    // Nothing is written any more, so the number of the device can be given to another file.
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
    const problem = new CastoreError(
      'io',
      `the connection of a FUSE mount ended${code === '' ? '' : `: ${code}`}`,
    );
    this.#ready.reject(problem);
    if (!['', 'ENODEV', 'ECONNABORTED'].includes(code)) throw problem;
  }

  /** Answers what is in the ring; after as many requests as fit into it, others have their turn. */
  #takeRequests(): void {
    for (let count = 0; count < slots; count++) {
      if (this.#taken === Atomics.load(this.#control, control.written)) {
        Atomics.store(this.#control, control.asleep, 1);
        if (this.#taken === Atomics.load(this.#control, control.written)) return;
        Atomics.store(this.#control, control.asleep, 0);
      }
      const start = (this.#taken & (slots - 1)) * maxRequestBytes;
      const request = decodeRequest(this.#requests.subarray(start, start + maxRequestBytes));
      this.#taken = (this.#taken + 1) | 0;
      Atomics.store(this.#control, control.taken, this.#taken);
      Atomics.notify(this.#control, control.taken);
      this.#take(request);
    }
    setImmediate(() => this.#takeRequests());
  }

  #take(request: FuseRequest): void {
    const { operation, unique } = request;
    if (operation.kind === 'init') return this.#initialise(unique, operation);
    if (operation.kind === 'interrupt') return this.#interrupt(operation.unique);
    const answer = this.#handler(request);
    if (answer === undefined) return;
    if (!(answer instanceof Promise)) return this.#send(unique, answer);
    this.#pending.add(unique);
    const answering = this.#answerLater(unique, answer).finally(() => this.#answering.delete(answering));
    this.#answering.add(answering);
  }

  async #answerLater(unique: number, answer: LaterAnswer): Promise<void> {
    const send = await answer;
    if (this.#pending.delete(unique) && this.#isOpen) this.#send(unique, send());
  }

  #initialise(unique: number, init: Extract<FuseOperation, { kind: 'init' }>): void {
    const { major, oldestMinor } = fuseVersion;
    if (init.major > major) return this.#send(unique, encodeInitVersion());
    if (init.major < major || init.minor < oldestMinor) {
      this.#send(unique, errno.EPROTO);
      const spoken = `${init.major}.${init.minor}`;
      const problem = `the kernel speaks FUSE ${spoken}, and ${major}.${oldestMinor} (Linux 3.15) is needed`;
      return this.#ready.reject(new CastoreError('unsupported', problem));
    }
    const wanted = Object.values(initFlags).reduce((all, flag) => all | flag, 0);
    this.#send(
      unique,
      encodeInit({
        maxReadahead: init.maxReadahead,
        flags: init.flags & wanted,
        maxBackground: slots,
        maxPages,
      }),
    );
    this.#ready.resolve();
  }

  /** Whoever waits for the answer was killed. What was answered already is not here. */
  #interrupt(unique: number): void {
    if (this.#pending.delete(unique)) this.#send(unique, errno.EINTR);
  }

  #send(unique: number, answer: FuseAnswer): void {
    if (!this.#isOpen) return;
    const result = typeof answer === 'number' ? undefined : answer;
    const length = result?.length ?? 0;
    writeReplyHeader(this.#reply, { unique, error: typeof answer === 'number' ? answer : 0, length });
    try {
      if (result !== undefined && replyHeaderBytes + length > smallReplyBytes) {
        writevSync(this.#fd, [this.#reply.subarray(0, replyHeaderBytes), result]);
        return;
      }
      if (result !== undefined) this.#reply.set(result, replyHeaderBytes);
      writeSync(this.#fd, this.#reply, 0, replyHeaderBytes + length);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** Whether the kernel no longer waits for this answer, or for any. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ECONNABORTED' || code === 'EPERM';
}

type Deferred = {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: CastoreError) => void;
};

function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  let reject: (error: CastoreError) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
