/**
 * The daemon as a service: takes commands, gives each a session in the one store or in the one that it names, and lets those
 * who want the same build share it.
 */
import type { BuildService } from '@neve/build';
import { SharedBuilds } from '@neve/realise';
import { RpcError } from '@neve/rpc';
import type { DaemonCommand, DaemonEvent, DaemonService, DaemonStatus } from '@neve/rpc/node';
import type { Caller } from '../caller.ts';
import { guarded } from '../realise/expected-failure.ts';
import { openSession } from '../realise/realise-main.ts';
import type { RealiseOptions } from '../realise/realise-options.ts';
import type { RealiseSession } from '../realise/realise-session.ts';
import { Workshop } from '../realise/workshop.ts';
import { localStoreFolder } from '../store/open-store.ts';
import { RunningCommand } from './daemon-command.ts';
import type { EvaluatorThreads } from './evaluator-threads.ts';
import { limitedBuilder } from './limited-builder.ts';
import type { Permits } from './permits.ts';

export type HubOptions = {
  readonly version: string;
  readonly workshop: Workshop;
  /** As `--store` of the daemon. */
  readonly storeName: string | undefined;
  /** What builds unless a command names something else; it keeps to the permits already. */
  readonly builder: BuildService;
  readonly builds: Permits;
  readonly evaluations: Permits;
  readonly threads: EvaluatorThreads;
  readonly onError: (error: unknown) => void;
  /** Called when a command comes or has ended. */
  readonly onActivity: () => void;
  readonly onShutdown: (options: { readonly now: boolean }) => void;
};

/** Those that run and those that wait. */
const maxCommands = 1000;

const defaultBuilder = 'local:';

export class DaemonHub implements DaemonService, AsyncDisposable {
  readonly #options: HubOptions;
  readonly #commands = new Map<number, RunningCommand>();
  readonly #sharedBuilds = new SharedBuilds();
  /** What clients have left and others still wait for. */
  readonly #endings = new Set<Promise<void>>();
  readonly #startedMs = Date.now();
  #lastId = 0;
  #finished = 0;
  #isEnding = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#commands.size + this.#endings.size > 0;
  }

  // oxlint-disable-next-line eslint/max-params -- as the interface has it
  async *run(
    command: DaemonCommand,
    signals: AsyncIterable<string>,
    signal: AbortSignal,
  ): AsyncGenerator<DaemonEvent, void, void> {
    const { threads, evaluations, onError, onActivity } = this.#options;
    if (this.#isEnding) throw new RpcError('unavailable', 'it is about to end');
    if (this.#commands.size >= maxCommands) {
      throw new RpcError('resource-exhausted', `it has ${maxCommands} commands already; try again later`);
    }
    const running = new RunningCommand(command, {
      ...{ threads, evaluations, onError },
      openSession: (options, caller) => guarded(() => this.#openSession(options, caller)),
    });
    const id = ++this.#lastId;
    this.#commands.set(id, running);
    onActivity();
    const leave = (): void => running.end(new Error('the client has gone'));
    signal.addEventListener('abort', leave, { once: true });
    void passOn(signals, running);
    try {
      yield* running.run();
    } finally {
      this.#commands.delete(id);
      this.#finished++;
      onActivity();
    }
  }

  status(): DaemonStatus {
    const { version, builds, evaluations } = this.#options;
    const now = Date.now();
    return {
      version,
      processId: process.pid,
      uptimeSeconds: (now - this.#startedMs) / 1000,
      commands: Array.from(this.#commands, ([id, { command, startedMs, state }]) => {
        const { name, words, directory } = command;
        return { id, name, words, directory, seconds: (now - startedMs) / 1000, state };
      }),
      evaluations: queueOf(evaluations),
      builds: queueOf(builds),
      finishedCommands: this.#finished,
      memoryBytes: process.memoryUsage.rss(),
      isEnding: this.#isEnding,
    };
  }

  shutdown({ now }: { readonly now: boolean }): void {
    this.#options.onShutdown({ now });
  }

  /** Takes no more commands; fulfilled when none is left. After `graceMs`, those that run are ended. */
  async end(graceMs: number): Promise<void> {
    this.#isEnding = true;
    const timer = setTimeout(() => this.#endAll(), graceMs);
    if (graceMs === 0) this.#endAll();
    while (this.isBusy) {
      await Promise.all(this.#endings);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end(0);
    this.#options.threads.close();
  }

  #endAll(): void {
    const reason = new CommandEnd('it was stopped, try again');
    for (const it of this.#commands.values()) it.end(reason);
  }

  async #openSession(options: RealiseOptions, caller: Caller): Promise<RealiseSession> {
    const { workshop: own, builder, builds } = this.#options;
    const isOwn = this.#isOwnStore(options.store, caller);
    const { directory } = caller;
    const workshop = isOwn ? own : await Workshop.open({ storeName: options.store, directory });
    const service =
      isOwn && options.builder === defaultBuilder
        ? builder
        : limitedBuilder(workshop.builder(options), builds);
    return await openSession(options, {
      ...{ workshop, service, caller },
      owned: isOwn ? [] : [workshop],
      ...(isOwn && { sharedBuilds: this.#sharedBuilds }),
      outlive: (ending) => this.#keep(ending),
    });
  }

  #isOwnStore(name: string | undefined, { directory }: Caller): boolean {
    const { storeName } = this.#options;
    if (name === undefined || name === storeName) return true;
    const folder = localStoreFolder(name, directory);
    return folder !== undefined && storeName !== undefined && folder === localStoreFolder(storeName);
  }

  #keep(ending: Promise<void>): void {
    const { onError, onActivity } = this.#options;
    const kept = ending.catch(onError).finally(() => {
      this.#endings.delete(kept);
      onActivity();
    });
    this.#endings.add(kept);
  }
}

/** Why the daemon ends a command. */
class CommandEnd extends Error {
  override toString(): string {
    return this.message;
  }
}

/** Until the client has sent all. That it has gone is told otherwise. */
async function passOn(signals: AsyncIterable<string>, running: RunningCommand): Promise<void> {
  try {
    for await (const name of signals) running.signal(name);
  } catch {
    // See above.
  }
}

function queueOf({ running, waiting, limit }: Permits): DaemonStatus['builds'] {
  return { running, waiting, limit };
}
