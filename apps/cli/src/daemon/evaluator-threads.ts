/**
 * The threads that evaluate, for one command at a time each. A thread whose command has ended well is kept for the next one,
 * which finds warm code; one that was ended, that has used much memory, or that is one too many is not.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ThreadData, ThreadOrder, ThreadReport } from './thread-messages.ts';

export type ThreadOptions = {
  readonly core: WebAssembly.Module;
  /** So many wait for work. */
  readonly maxIdle: number;
  /** A thread that has used more for an evaluation is not used again, in bytes. */
  readonly recycleBytes: number;
  /** Of JavaScript, in MiB. */
  readonly maxHeapMegabytes: number;
};

/** A thread with as many commands behind it is replaced, whatever they were. */
const maxCommands = 500;

export class EvaluatorThreads {
  readonly #options: ThreadOptions;
  #idle: EvaluatorThread[] = [];
  #isClosed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    // The first command finds one that has started.
    if (options.maxIdle > 0) this.#idle.push(new EvaluatorThread(options));
  }

  take(): EvaluatorThread {
    return this.#idle.pop() ?? new EvaluatorThread(this.#options);
  }

  /** Keeps it if it is worth it. */
  giveBack(thread: EvaluatorThread, usedBytes: number): void {
    const { maxIdle, recycleBytes } = this.#options;
    const isWorn = usedBytes > recycleBytes || ++thread.commands >= maxCommands;
    if (this.#isClosed || isWorn || this.#idle.length >= maxIdle) thread.end();
    else this.#idle.push(thread);
    if (isWorn && !this.#isClosed && this.#idle.length === 0) {
      this.#idle.push(new EvaluatorThread(this.#options));
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const thread of this.#idle) thread.end();
    this.#idle = [];
  }
}

export type ThreadListener = {
  readonly onReport: (report: ThreadReport) => void;
  /** The thread is no more, though nobody has ended it. */
  readonly onCrash: (error: Error) => void;
};

export class EvaluatorThread {
  commands = 0;
  readonly #worker: Worker;
  readonly #waiting: Int32Array;
  #listener: ThreadListener | undefined;
  #crash: Error | undefined;

  constructor({ core, maxHeapMegabytes }: ThreadOptions) {
    const waitingOutput = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#waiting = new Int32Array(waitingOutput);
    this.#worker = new Worker(join(__dirname, 'evaluator-thread.cjs'), {
      workerData: { core, waitingOutput } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes },
      // Commands bring their own.
      env: {},
      stdin: false,
    });
    // Only what runs keeps the daemon alive.
    this.#worker.unref();
    this.#worker.on('message', (report: ThreadReport) => this.#listener?.onReport(report));
    this.#worker.on('error', (error: Error) => this.#crashed(error));
    this.#worker.on('exit', (code) => this.#crashed(new Error(`the thread ended with ${code}`)));
  }

  run(order: Extract<ThreadOrder, { readonly kind: 'run' }>, listener: ThreadListener): void {
    this.#listener = listener;
    Atomics.store(this.#waiting, 0, 0);
    if (this.#crash === undefined) this.tell(order);
    else listener.onCrash(this.#crash);
  }

  tell(order: ThreadOrder): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    this.#worker.postMessage(order);
  }

  /** So many bytes of its output have been taken. */
  outputTaken(bytes: number): void {
    Atomics.sub(this.#waiting, 0, bytes);
    Atomics.notify(this.#waiting, 0);
  }

  /** Nothing is heard of it any more. It may take a while when it is in the middle of a system call. */
  end(): void {
    this.#listener = undefined;
    void this.#worker.terminate();
  }

  #crashed(error: Error): void {
    this.#crash ??= error;
    this.#listener?.onCrash(this.#crash);
    this.#listener = undefined;
  }
}
