/**
 * The page's end of the worker. A worker is started with the first request; `stop` ends it whatever it is doing, and the
 * next request starts another one. What was asked of a worker that is stopped is refused with `StoppedError`.
 */
import type { Answers, Numbered, Request, Response } from './protocol.ts';

/** The user has ended what was running. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('the evaluation was stopped');
  }
}

type Waiting = {
  readonly resolve: (answer: Answers[keyof Answers]) => void;
  readonly reject: (error: Error) => void;
};

export class EvaluationClient {
  readonly #startWorker: () => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 1;

  constructor(startWorker: () => Worker) {
    this.#startWorker = startWorker;
  }

  async ask<K extends Request['kind']>(request: Extract<Request, { kind: K }>): Promise<Answers[K]> {
    const worker = this.#running();
    const id = this.#nextId;
    this.#nextId += 1;
    const answered = new Promise<Answers[keyof Answers]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    const message: Numbered<Request> = { ...request, id };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- there is one worker
    worker.postMessage(message);
    // The worker answers a request with what belongs to its kind.
    return (await answered) as Answers[K];
  }

  /** Whether something was asked that is not answered. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#refuse(new StoppedError());
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#startWorker();
    worker.addEventListener('message', ({ data }: MessageEvent<Response>) => this.#receive(data));
    worker.addEventListener('error', (event) => {
      this.#worker = undefined;
      this.#refuse(new Error(event.message === '' ? 'the worker could not be started' : event.message));
    });
    this.#worker = worker;
    return worker;
  }

  #receive(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('bug' in response) waiting?.reject(new Error(response.bug));
    else waiting?.resolve(response.answer);
  }

  #refuse(error: Error): void {
    const refused = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of refused) reject(error);
  }
}
