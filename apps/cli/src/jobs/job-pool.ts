/**
 * Has all jobs evaluated by several workers, and goes on when one of them dies or becomes too large.
 *
 * Of a worker that dies, every path that it has not answered may be the cause. They are given to its successor one by one, until
 * one kills that too: a path that does so to a worker that has done nothing else gets an error in place of a job. One that does
 * it to a worker that has done more is tried once more alone.
 */
import { errorLine } from './job-line.ts';
import { type JobPath, joinedPath } from './job-path.ts';
import { JobQueue } from './job-queue.ts';
import { WorkerProcess } from './worker-process.ts';
import type { ImageUse, WorkerReport, WorkerSetup } from './worker-protocol.ts';

export type JobPoolOptions = {
  readonly workers: number;
  /** The program of a worker, with its arguments. */
  readonly command: readonly string[];
  readonly setup: Omit<WorkerSetup, 'images'>;
  readonly usesImages: boolean;
  /** Is given what is found, as lines without their ends. */
  readonly onLine: (line: string) => void;
  /** Is told of a worker that was replaced, in words. */
  readonly onTrouble: (message: string) => void;
};

/** Gives the exit code when all is done, that of a worker which could not begin. */
export async function runJobPool(options: JobPoolOptions, signal: AbortSignal): Promise<number> {
  return await new Pool(options, signal).run();
}

/** Workers that die before they have begun are replaced so often. */
const maxFalseStarts = 3;

/** A place for a worker, and what it works on. */
type Slot = {
  readonly index: number;
  worker: WorkerProcess | undefined;
  hasStarted: boolean;
  falseStarts: number;
  /** Whether the worker has answered nothing yet. */
  isFresh: boolean;
  /** Paths without an answer, in their order. */
  batch: readonly JobPath[];
  size: number;
  begun: number;
  /** Paths that are tried one by one. */
  suspects: JobPath[];
  /** What the worker said at last. */
  last: 'restart' | 'without-image' | 'out-of-memory' | undefined;
};

class Pool {
  readonly #options: JobPoolOptions;
  readonly #signal: AbortSignal;
  readonly #queue: JobQueue;
  readonly #slots: readonly Slot[];
  #end: (exitCode: number) => void = () => undefined;
  #isOver = false;
  #usesImages: boolean;

  constructor(options: JobPoolOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#usesImages = options.usesImages;
    this.#queue = new JobQueue(options.workers);
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      index,
      ...{ worker: undefined, hasStarted: false, falseStarts: 0, isFresh: true, last: undefined },
      ...{ batch: [], size: 0, begun: 0, suspects: [] },
    }));
  }

  async run(): Promise<number> {
    const abort = (): void => this.#finish(1);
    this.#signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise((resolve) => {
        this.#end = resolve;
        const [first, ...others] = this.#slots;
        if (first !== undefined) this.#begin(first, 'use-or-keep');
        // With images they begin when there is something to do, perhaps from one that the first worker has kept.
        if (!this.#usesImages) for (const slot of others) this.#begin(slot);
      });
    } finally {
      this.#signal.removeEventListener('abort', abort);
    }
  }

  #begin(slot: Slot, images: ImageUse = 'use'): void {
    const { command, setup } = this.#options;
    slot.hasStarted = false;
    slot.isFresh = true;
    slot.last = undefined;
    const worker = new WorkerProcess(
      command,
      { ...setup, images: this.#usesImages ? images : 'none' },
      {
        onReport: (report) => this.#take(slot, report),
        onEnd: (reason) => {
          if (slot.worker === worker) this.#ended(slot, reason);
        },
      },
    );
    slot.worker = worker;
    this.#give(slot);
  }

  /** The next batch, if there is one. */
  #give(slot: Slot): void {
    const suspect = slot.suspects.shift();
    const batch = suspect === undefined ? this.#queue.take(slot.index) : [suspect];
    slot.batch = batch;
    slot.size = batch.length;
    slot.begun = performance.now();
    if (batch.length > 0) slot.worker?.perform(batch);
  }

  #take(slot: Slot, report: WorkerReport): void {
    if (this.#isOver) return;
    switch (report.kind) {
      case 'started':
        slot.hasStarted = true;
        slot.falseStarts = 0;
        slot.begun = performance.now();
        break;
      case 'job':
        this.#answered(slot);
        this.#options.onLine(report.line);
        break;
      case 'names': {
        const path = this.#answered(slot);
        this.#queue.add(
          report.names.map((name) => [...path, name]),
          slot.index,
        );
        if (report.names.length > 0) this.#wake();
        break;
      }
      case 'done':
        this.#queue.taken(slot.size, performance.now() - slot.begun);
        this.#give(slot);
        if (slot.batch.length === 0) this.#rest();
        break;
      case 'failed':
        this.#finish(report.exitCode);
        break;
      case 'without-image':
        this.#usesImages = false;
        slot.last = report.kind;
        break;
      default:
        slot.last = report.kind;
    }
  }

  #answered(slot: Slot): JobPath {
    const [path, ...rest] = slot.batch;
    if (path === undefined) throw new Error('a worker has answered more than it was asked');
    slot.batch = rest;
    slot.isFresh = false;
    return path;
  }

  /** Those who have nothing to do are given something. */
  #wake(): void {
    for (const slot of this.#slots) {
      if (slot.size > 0) continue;
      if (slot.worker === undefined) this.#begin(slot);
      else this.#give(slot);
    }
  }

  /** A worker has nothing to do: perhaps nobody has. */
  #rest(): void {
    if (this.#queue.size === 0 && this.#slots.every(({ size }) => size === 0)) this.#finish(0);
  }

  #ended(slot: Slot, reason: string): void {
    if (this.#isOver) return;
    const { batch, last } = slot;
    const [first, ...rest] = batch;
    slot.size = 0;
    slot.batch = [];
    if (!slot.hasStarted) {
      slot.falseStarts += 1;
      if (slot.falseStarts === maxFalseStarts) {
        this.#options.onTrouble(`an evaluation worker ${reason} before it had begun`);
        this.#finish(1);
        return;
      }
      slot.suspects.unshift(...batch);
    } else if (last === 'out-of-memory' && first !== undefined) {
      slot.suspects.unshift(first);
      this.#queue.add(rest, slot.index);
    } else if (last === undefined) this.#suspect(slot, { batch, reason });
    else this.#queue.add(batch, slot.index);
    if (slot.suspects.length === 0 && this.#queue.size === 0) {
      slot.worker = undefined;
      this.#rest();
    } else this.#begin(slot);
  }

  #suspect(slot: Slot, { batch, reason }: { batch: readonly JobPath[]; reason: string }): void {
    const [first, ...rest] = batch;
    if (first === undefined || rest.length > 0 || !slot.isFresh) {
      slot.suspects.unshift(...batch);
      return;
    }
    const message = `while evaluating '${joinedPath(first)}', the evaluation worker ${reason}`;
    this.#options.onTrouble(message);
    this.#options.onLine(errorLine(first, `error: ${message}`));
    // The others were innocent.
    this.#queue.add(slot.suspects, slot.index);
    slot.suspects = [];
  }

  #finish(exitCode: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { worker } of this.#slots) {
      if (exitCode === 0) worker?.end();
      else worker?.kill();
    }
    this.#end(exitCode);
  }
}
