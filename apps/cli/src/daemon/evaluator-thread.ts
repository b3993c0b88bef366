/**
 * A thread of the daemon that evaluates: one command after the other, as `neve` itself would run it. Files it reads by
 * itself; the store is in the main thread, where tasks are performed as well.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Added, StoreIO } from '@neve/eval-store/node';
import { RecordingTracer, activeSpan, inSpan, setLogs, setTracing } from '@neve/telemetry';
import { asyncActiveSpans } from '@neve/telemetry/node';
import type { Caller } from '../caller.ts';
import { runEvaluateMain } from '../evaluate-main.ts';
import type { EvaluationFailure, RealiseSession, RealiseTask } from '../realise/realise-session.ts';
import { clientWishes } from './client-wishes.ts';
import {
  type Question,
  type ThreadData,
  type ThreadOrder,
  type ThreadReport,
  maxWaitingOutput,
  portable,
  restoredError,
} from './thread-messages.ts';

const { core, waitingOutput } = workerData as ThreadData;
const waiting = new Int32Array(waitingOutput);

type Waiter = { readonly fulfil: (value: unknown) => void; readonly reject: (error: Error) => void };

const waiters = new Map<number, Waiter>();
let lastId = 0;

function report(message: ThreadReport): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(message);
}

function ask(question: Question): Promise<unknown> {
  const id = ++lastId;
  report({ kind: 'question', id, question, span: activeSpan()?.context });
  return new Promise((fulfil, reject) => waiters.set(id, { fulfil, reject }));
}

function write(file: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : new Uint8Array(text);
  for (let size = Atomics.load(waiting, 0); size > maxWaitingOutput; size = Atomics.load(waiting, 0)) {
    Atomics.wait(waiting, 0, size);
  }
  Atomics.add(waiting, 0, bytes.length);
  report({ kind: 'output', file, bytes });
}

function callerOf(order: Extract<ThreadOrder, { readonly kind: 'run' }>): Caller {
  const { environment, directory, standardInput = new Uint8Array(), colour } = order;
  return {
    ...{ environment, directory, write },
    // Whatever takes time happens in the main thread.
    report: () => undefined,
    ...clientWishes(environment, colour),
    readStandardInput: () => standardInput,
    // The main thread does.
    watchInterruptions: () => ({ [Symbol.dispose]: () => undefined }),
  };
}

const storeMethods = [
  'readFile',
  'fileType',
  'readDirectory',
  'readLink',
  'hashFile',
  'addPathToStore',
  'isValidStorePath',
  'toStorePath',
  'realise',
  'fetch',
  'storePathReferences',
] as const satisfies readonly Exclude<keyof StoreIO, 'describe'>[];

function storeOfMainThread(): StoreIO {
  const methods = storeMethods.map((method) => [
    method,
    (...parameters: readonly unknown[]) =>
      ask({ kind: 'store', method, parameters: parameters.map(portable) }),
  ]);
  const describe = (added: Added): void => report({ kind: 'describe', added: portable(added) });
  // Each of these methods gets what the method of the same name got there.
  return { ...Object.fromEntries(methods), describe } as StoreIO;
}

const activeSpans = asyncActiveSpans();
const tracer = new RecordingTracer((span) => report({ kind: 'span', span }));

/** What is measured here is told to the main thread, which has somebody to tell. */
function measure(isWanted: boolean): void {
  setTracing(isWanted ? { tracer, activeSpans } : undefined);
  setLogs(isWanted ? { emit: (record) => report({ kind: 'log', record }) } : undefined);
}

async function run(order: Extract<ThreadOrder, { readonly kind: 'run' }>): Promise<void> {
  let task: RealiseTask | undefined;
  let memoryBytes = 0;
  const session: RealiseSession = {
    io: storeOfMainThread(),
    perform: async (it) => {
      task = it;
      return 0;
    },
    evaluationFailure: async () => (await ask({ kind: 'failure' })) as EvaluationFailure,
    [Symbol.asyncDispose]: async () => undefined,
  };
  measure(order.trace !== undefined);
  const exitCode = await inSpan('neve.evaluation', { parent: order.trace }, () =>
    runEvaluateMain(order.argv, {
      caller: callerOf(order),
      core,
      onStats: ({ gc }) => (memoryBytes = (gc as { readonly totalBytes: number }).totalBytes),
      openSession: async (options) => {
        await ask({ kind: 'open', options });
        return session;
      },
    }),
  );
  report({ kind: 'ended', exitCode, task, memoryBytes });
}

parentPort?.on('message', (order: ThreadOrder) => {
  if (order.kind === 'run') {
    void run(order);
    return;
  }
  const waiter = waiters.get(order.id);
  waiters.delete(order.id);
  if (order.kind === 'answer') waiter?.fulfil(order.value);
  else waiter?.reject(restoredError(order.error));
});
