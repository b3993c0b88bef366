/**
 * What a command says, from when it is said until it is sent. Whoever says something does not wait, so that what waits is
 * bounded otherwise: threads stop by themselves, and a command whose output nobody takes is ended.
 */
import { RpcError } from '@neve/rpc';
import type { DaemonEvent } from '@neve/rpc/node';

/** In bytes of output. */
const maxWaiting = 64 * 1024 * 1024;
const eventOverhead = 128;

/** How long nothing may be said. */
const aliveMs = 20_000;

type Waiting = { readonly event: DaemonEvent; readonly onTaken: (() => void) | undefined };

export class CommandEvents {
  readonly #onOverflow: (error: Error) => void;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isEnded = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(onOverflow: (error: Error) => void) {
    this.#onOverflow = onOverflow;
  }

  push(event: DaemonEvent, onTaken?: () => void): void {
    if (this.#isEnded) return;
    this.#waitingBytes += costOf(event);
    if (this.#waitingBytes > maxWaiting) {
      const problem = `the client does not read what the command prints: ${maxWaiting} bytes wait`;
      this.#onOverflow(new RpcError('resource-exhausted', problem));
      return;
    }
    this.#waiting.push({ event, onTaken });
    this.#wake?.();
  }

  /** Nothing comes after it. With a failure, that is what the reader gets in the end. */
  end(failure?: unknown): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake?.();
  }

  /** Everything in order. Only one may read. */
  async *read(): AsyncGenerator<DaemonEvent, void, void> {
    while (true) {
      const taken = this.#waiting;
      this.#waiting = [];
      for (const { event, onTaken } of taken) {
        yield event;
        this.#waitingBytes -= costOf(event);
        onTaken?.();
      }
      if (this.#waiting.length > 0) continue;
      if (this.#isEnded) break;
      // oxlint-disable-next-line no-await-in-loop -- waits for what comes next
      if (!(await this.#somethingCame())) yield { kind: 'alive' };
    }
    // oxlint-disable-next-line typescript/only-throw-error -- it is what the command failed with
    if (this.#failure !== undefined) throw this.#failure;
  }

  #somethingCame(): Promise<boolean> {
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), aliveMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    }).finally(() => {
      this.#wake = undefined;
    });
  }
}

function costOf(event: DaemonEvent): number {
  const bytes = event.kind === 'output' ? event.bytes.length : 0;
  return bytes + (event.kind === 'progress' ? (event.progress.log?.length ?? 0) : 0) + eventOverhead;
}
