/**
 * The reader of a file tree in a thread of its own, so that reading and hashing go on while the consumer stores. The two
 * hand a few buffers to and fro: the reader fills one and gives it away, the consumer gives it back. (Shared memory would do
 * as well, but native libraries do not take it everywhere.)
 *
 * The script of the thread is `tree-reader-worker.ts`; only the program knows where it has it.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { CastoreError, type CastoreErrorCode } from '../castore-error.ts';
import type { TreeBatch } from './tree-batch.ts';

/** What the thread starts with. */
export type TreeReaderJob = {
  readonly root: Uint8Array;
  /** The folder of the file cache's database. */
  readonly cachePath: string | undefined;
  /** Buffers come back through it. */
  readonly returned: MessagePort;
  /** One number: how many buffers came back, and are not taken yet. */
  readonly returnedCount: SharedArrayBuffer;
};

/** What the thread says. */
export type TreeReaderMessage =
  | ({ readonly kind: 'batch' } & TreeBatch)
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly code: CastoreErrorCode; readonly message: string };

export type ReadBatch = { readonly batch: TreeBatch; readonly release: () => void };

/** So many buffers are there in all. */
export const bufferCount = 4;

export type TreeReaderThreadOptions = {
  readonly script: URL;
  readonly root: Uint8Array;
  readonly cachePath?: string | undefined;
};

/** Batches in order; each is the consumer's until it is released. Throws what the reader throws. */
export async function* readTreeInThread(
  options: TreeReaderThreadOptions,
): AsyncGenerator<ReadBatch, void, void> {
  const { port1: toReader, port2: returned } = new MessageChannel();
  const returnedCount = new SharedArrayBuffer(4);
  const counter = new Int32Array(returnedCount);
  const job: TreeReaderJob = { root: options.root, cachePath: options.cachePath, returned, returnedCount };
  const worker = new Worker(options.script, { workerData: job, transferList: [returned] });
  const messages: TreeReaderMessage[] = [];
  let wake = (): void => {};
  let failure: Error | undefined;
  worker.on('message', (message: TreeReaderMessage) => {
    messages.push(message);
    wake();
  });
  worker.on('error', (error) => {
    failure = error;
    wake();
  });
  // Comes after everything that it said.
  worker.on('exit', (code) => {
    failure ??= new Error(`the thread that reads files ended with code ${code} before it had read all`);
    wake();
  });
  try {
    while (true) {
      const message = messages.shift();
      if (message === undefined) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if (message.kind === 'end') return;
      if (message.kind === 'error') throw new CastoreError(message.code, message.message);
      const { records, count, bytes } = message;
      yield {
        batch: { records, count, bytes },
        release: () => {
          toReader.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
          Atomics.add(counter, 0, 1);
          Atomics.notify(counter, 0);
        },
      };
    }
  } finally {
    toReader.close();
    await worker.terminate();
  }
}
