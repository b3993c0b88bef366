/**
 * One command of a client, in the daemon's main thread: its evaluation runs in a thread, which asks here for what is in the
 * store; afterwards, what is to be done in the store is done here, and the thread is free.
 */
import type { StoreIO } from '@neve/eval-store/node';
import {
  type SpanContext,
  activeSpan,
  currentLogs,
  currentTracing,
  replaySpan,
  withRemoteParent,
} from '@neve/telemetry';
import type { DaemonCommand, DaemonEvent, DaemonStatus } from '@neve/rpc/node';
import { bugText } from '../bug-text.ts';
import type { Caller } from '../caller.ts';
import { Interruption, isSignalName } from '../interruption.ts';
import { PlainDisplay } from '../progress/plain-display.ts';
import type { ProgressEvent, RealiseProgress } from '../progress/progress-event.ts';
import type { RealiseOptions } from '../realise/realise-options.ts';
import type { RealiseSession, RealiseTask } from '../realise/realise-session.ts';
import { clientWishes } from './client-wishes.ts';
import { CommandEvents } from './command-events.ts';
import type { EvaluatorThread, EvaluatorThreads } from './evaluator-threads.ts';
import type { Permits } from './permits.ts';
import { type Question, type ThreadReport, plainError, portable, restored } from './thread-messages.ts';

export type CommandHost = {
  readonly threads: EvaluatorThreads;
  readonly evaluations: Permits;
  readonly openSession: (options: RealiseOptions, caller: Caller) => Promise<RealiseSession>;
  /** Learns of failures of the daemon itself. */
  readonly onError: (error: unknown) => void;
};

type State = DaemonStatus['commands'][number]['state'];

/** How an evaluation has ended. */
type Evaluated = { readonly exitCode: number; readonly task: RealiseTask | undefined };

export class RunningCommand {
  readonly command: DaemonCommand;
  readonly startedMs: number = Date.now();
  /** The span of the call that has brought it. */
  readonly #trace: SpanContext | undefined = activeSpan()?.context;
  state: State = 'waiting';
  readonly #host: CommandHost;
  readonly #abortion = new AbortController();
  readonly #events = new CommandEvents((error) => this.end(error));
  readonly #caller: Caller;
  #session: Promise<RealiseSession> | undefined;
  /** Says what happens in lines, for a client that does not show it. */
  #lines: PlainDisplay | undefined;
  #interrupt: ((interruption: Interruption) => void) | undefined;
  #releasePermit: (() => void) | undefined;
  /** For what is to be realised. */
  #waits = 0;

  constructor(command: DaemonCommand, host: CommandHost) {
    this.command = command;
    this.#host = host;
    this.#caller = {
      environment: command.environment,
      directory: command.directory,
      write: (file, text) => {
        // Nobody is told how what was ended from outside has failed.
        if (this.#abortion.signal.aborted) return;
        const bytes = typeof text === 'string' ? Buffer.from(text) : Uint8Array.from(text);
        this.#say({ kind: 'output', file, bytes });
      },
      report: (event) => this.#report(event),
      ...clientWishes(command.environment, command.colour),
      readStandardInput: () => command.standardInput ?? new Uint8Array(),
      watchInterruptions: (interrupt) => this.#watchInterruptions(interrupt),
    };
  }

  /** What it says. When that ends, so has the command, also when nobody listens any more. */
  async *run(): AsyncGenerator<DaemonEvent, void, void> {
    const work = this.#runToEnd();
    try {
      yield* this.#events.read();
    } finally {
      this.end(new Error('the client has gone'));
      await work;
    }
  }

  /** The client was sent a signal. */
  signal(name: string): void {
    if (!isSignalName(name)) return;
    const interruption = new Interruption(name);
    const interrupt = this.#interrupt;
    this.#interrupt = undefined;
    if (interrupt === undefined) this.end(interruption);
    else interrupt(interruption);
  }

  /** Ends whatever goes on. */
  end(reason: Error): void {
    this.#abortion.abort(reason);
  }

  async #runToEnd(): Promise<void> {
    try {
      this.#say({ kind: 'exit', code: await this.#work() });
      this.#events.end();
    } catch (error) {
      this.#events.end(error);
    }
  }

  async #work(): Promise<number> {
    try {
      const { exitCode, task } = await this.#evaluate();
      if (task === undefined) return exitCode;
      this.state = 'realising';
      return await this.#perform(task);
    } catch (error) {
      const { signal } = this.#abortion;
      if (!signal.aborted) throw error;
      if (signal.reason instanceof Interruption) return signal.reason.exitCode;
      const message = `error: the daemon has ended the command: ${String(signal.reason)}\n`;
      this.#say({ kind: 'output', file: 2, bytes: Buffer.from(message) });
      return 1;
    } finally {
      const session = await this.#session?.catch(() => undefined);
      await session?.[Symbol.asyncDispose]();
    }
  }

  async #perform(task: RealiseTask): Promise<number> {
    const session = await this.#openedSession();
    const { signal } = this.#abortion;
    // Closing the session ends what goes on.
    const stop = (): void => {
      Promise.resolve(session[Symbol.asyncDispose]()).catch((error: unknown) => this.#host.onError(error));
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      const exitCode = await session.perform(task);
      signal.throwIfAborted();
      return exitCode;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #evaluate(): Promise<Evaluated> {
    const { evaluations, threads } = this.#host;
    const { signal } = this.#abortion;
    this.#releasePermit = await evaluations.acquire(signal);
    this.state = 'evaluating';
    this.#sayProgress({ kind: 'evaluation-started' });
    const thread = threads.take();
    try {
      const { usedBytes, ...evaluated } = await this.#runIn(thread);
      threads.giveBack(thread, usedBytes);
      this.#sayProgress({ kind: 'evaluation-ended' });
      return evaluated;
    } catch (cause) {
      thread.end();
      throw cause;
    } finally {
      this.#releasePermit();
    }
  }

  #runIn(thread: EvaluatorThread): Promise<Evaluated & { readonly usedBytes: number }> {
    const { signal } = this.#abortion;
    const { name, words, directory, environment, standardInput, colour } = this.command;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      const onReport = (report: ThreadReport): void => {
        if (report.kind !== 'ended') return this.#take(report, thread);
        signal.removeEventListener('abort', abort);
        const { exitCode, task, memoryBytes } = report;
        resolve({ exitCode, task, usedBytes: memoryBytes });
      };
      const onCrash = (error: Error): void => {
        signal.removeEventListener('abort', abort);
        this.#caller.write(2, `error: ${crashMessage(error)}\n`);
        resolve({ exitCode: 1, task: undefined, usedBytes: Infinity });
      };
      const argv = [name, ...words];
      const order = { directory, environment, standardInput, colour, argv, trace: this.#trace };
      thread.run({ kind: 'run', ...order }, { onReport, onCrash });
    });
  }

  #take(report: Exclude<ThreadReport, { readonly kind: 'ended' }>, thread: EvaluatorThread): void {
    switch (report.kind) {
      case 'output': {
        const { kind, file, bytes } = report;
        this.#events.push({ kind, file, bytes }, () => thread.outputTaken(bytes.length));
        return;
      }
      case 'describe':
        // It comes after the store was opened.
        void this.#session?.then(
          (session) => session.io.describe(restored(report.added) as Parameters<StoreIO['describe']>[0]),
          () => undefined,
        );
        return;
      case 'span': {
        const tracer = currentTracing()?.tracer;
        if (tracer !== undefined) replaySpan(tracer, report.span);
        return;
      }
      case 'log':
        currentLogs()?.emit(report.record);
        return;
      case 'question':
        withRemoteParent(report.span, () => this.#answer(report.question)).then(
          (value) => thread.tell({ kind: 'answer', id: report.id, value: portable(value) }),
          (error: unknown) => thread.tell({ kind: 'refusal', id: report.id, error: plainError(error) }),
        );
    }
  }

  async #answer(question: Question): Promise<unknown> {
    switch (question.kind) {
      case 'open': {
        const { options } = question;
        if (!this.command.showsProgress) {
          this.#lines ??= new PlainDisplay((file, text) => this.#caller.write(file, text), options.display);
        }
        this.#session ??= this.#host.openSession(options, this.#caller);
        await this.#session;
        return undefined;
      }
      case 'failure':
        return await (await this.#openedSession()).evaluationFailure();
      case 'store': {
        const { io } = await this.#openedSession();
        const { method, parameters } = question;
        // The thread names methods of it only, with what they take.
        const ask = io[method as keyof StoreIO] as (...parameters: readonly unknown[]) => unknown;
        const answer = (): Promise<unknown> => Promise.resolve(ask(...parameters.map(restored)));
        return await (method === 'realise' || method === 'fetch'
          ? this.#whileOthersEvaluate(answer)
          : answer());
      }
    }
  }

  /** An evaluation that waits for a build or a download lets another one run. */
  async #whileOthersEvaluate<T>(work: () => Promise<T>): Promise<T> {
    // It may wait for several at once.
    if (this.#waits++ === 0) {
      this.#releasePermit?.();
      this.state = 'realising';
    }
    try {
      return await work();
    } finally {
      if (--this.#waits === 0) {
        this.#releasePermit = await this.#host.evaluations.acquire(this.#abortion.signal);
        this.state = 'evaluating';
      }
    }
  }

  #openedSession(): Promise<RealiseSession> {
    if (this.#session === undefined) throw new Error('the store is asked before it is opened');
    return this.#session;
  }

  #watchInterruptions(interrupt: (interruption: Interruption) => void): Disposable {
    this.#interrupt = interrupt;
    this.#say({ kind: 'interruptible', isInterruptible: true });
    return {
      [Symbol.dispose]: () => {
        this.#interrupt = undefined;
        this.#say({ kind: 'interruptible', isInterruptible: false });
      },
    };
  }

  #report(event: ProgressEvent): void {
    if (this.#abortion.signal.aborted) return;
    this.#lines?.report(event);
    // Commands of the daemon do nothing of the kind.
    if (event.kind !== 'task-progress') this.#sayProgress(event);
  }

  #sayProgress(progress: RealiseProgress): void {
    if (this.command.wantsProgress) this.#say({ kind: 'progress', progress });
  }

  #say(event: DaemonEvent): void {
    this.#events.push(event);
  }
}

function crashMessage(error: Error): string {
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return 'the evaluation was ended: it needs more memory than the daemon allows';
  }
  return bugText(error);
}
