/** Notices that nobody has been connected, and nothing has been going on, for some time. */
import type { Server } from 'node:net';

export class IdleTimer {
  readonly #ms: number | undefined;
  readonly #onIdle: () => void;
  readonly #busy = new Set<unknown>();
  #timer: NodeJS.Timeout | undefined;

  /** Never, without a time. */
  constructor(ms: number | undefined, onIdle: () => void) {
    this.#ms = ms;
    this.#onIdle = onIdle;
    this.#look();
  }

  /** Whoever is busy, under a name of its own. */
  setBusy(who: unknown, isBusy: boolean): void {
    if (isBusy) this.#busy.add(who);
    else this.#busy.delete(who);
    this.#look();
  }

  /** A connection is busy for as long as it is there. */
  watch(listener: Server): void {
    listener.on('connection', (socket) => {
      this.setBusy(socket, true);
      socket.once('close', () => this.setBusy(socket, false));
    });
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#ms !== undefined && this.#busy.size === 0) {
      this.#timer = setTimeout(this.#onIdle, this.#ms);
    }
  }
}
