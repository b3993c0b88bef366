/** The script of the thread of `tree-reader-thread.ts`. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CastoreError } from '../castore-error.ts';
import { loadBlake3 } from './blake3.ts';
import { FileCache } from './file-cache.ts';
import { forceCollection } from './force-collection.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';
import { allocateReadBuffer } from './read-buffer.ts';
import { type TreeReaderJob, type TreeReaderMessage, bufferCount } from './tree-reader-thread.ts';
import { batchBytes, readTree } from './tree-reader.ts';

async function main({ root, cachePath, returned, returnedCount }: TreeReaderJob): Promise<void> {
  const counter = new Int32Array(returnedCount);
  const environment = cachePath === undefined ? undefined : await LmdbEnvironment.open(cachePath);
  const cache = environment === undefined ? undefined : new FileCache(environment);
  let made = 0;
  const nextBuffer = (): Uint8Array => {
    if (made < bufferCount) {
      made++;
      return allocateReadBuffer(batchBytes);
    }
    // Waits until the consumer gives one back.
    while (Atomics.load(counter, 0) === 0) Atomics.wait(counter, 0, 0);
    Atomics.sub(counter, 0, 1);
    const message = receiveMessageOnPort(returned);
    if (message === undefined) throw new Error('a buffer that was given back did not come');
    return message.message as Uint8Array;
  };
  const blake3 = await loadBlake3();
  for (const batch of readTree(Buffer.from(root), { blake3, cache, nextBuffer })) {
    say({ kind: 'batch', ...batch }, [
      batch.records.buffer as ArrayBuffer,
      batch.bytes.buffer as ArrayBuffer,
    ]);
  }
  await cache?.save();
  await environment?.[Symbol.asyncDispose]();
}

function say(message: TreeReaderMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

async function run(): Promise<void> {
  // The thread is only ever started with a job.
  const last = await outcomeOf(workerData as TreeReaderJob);
  // A thread can wait for ever at its end, as a process can: for V8's compiler threads, one of which waits for a collection
  // of this thread (nodejs/node#54918). With so much room in the heap none has to ask.
  forceCollection();
  say(last);
}

async function outcomeOf(job: TreeReaderJob): Promise<TreeReaderMessage> {
  try {
    await main(job);
    return { kind: 'end' };
  } catch (error) {
    if (!(error instanceof CastoreError)) throw error;
    return { kind: 'error', code: error.code, message: error.message };
  }
}

void run();
