/**
 * Evaluations in one worker, which is started by the first. There is one at a time, since a page has one reader: a new one
 * ends what still runs.
 */
import type { EvaluationAnswer, EvaluationRequest } from './protocol.ts';

export type EvaluationResult = Omit<EvaluationAnswer, 'id'> | 'stopped';

type Running = { readonly id: number; readonly settle: (result: EvaluationResult) => void };

let worker: Worker | undefined;
let running: Running | undefined;
let lastId = 0;

export function evaluateInWorker(request: Omit<EvaluationRequest, 'id'>): Promise<EvaluationResult> {
  stopEvaluation();
  worker ??= startWorker();
  const id = ++lastId;
  const current = worker;
  return new Promise((resolve) => {
    running = { id, settle: resolve };
    current.postMessage({ id, ...request } satisfies EvaluationRequest);
  });
}

/** Ends the evaluation that runs, however busy it is. */
export function stopEvaluation(): void {
  if (running === undefined) return;
  worker?.terminate();
  worker = undefined;
  settle('stopped');
}

function startWorker(): Worker {
  const started = new Worker(new URL('./evaluation-worker.ts', import.meta.url), { type: 'module' });
  started.addEventListener('message', (event: MessageEvent<EvaluationAnswer>) => {
    if (event.data.id === running?.id) settle(event.data);
  });
  started.addEventListener('error', () => {
    worker = undefined;
    settle({ isValue: false, text: 'The evaluator could not be started here.', messages: [] });
  });
  return started;
}

function settle(result: EvaluationResult): void {
  const ended = running;
  running = undefined;
  ended?.settle(result);
}
