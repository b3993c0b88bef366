/** A client at the other end of two streams, or of one that goes both ways. */
import type { Readable, Writable } from 'node:stream';
import { WireReader } from '@neve/nix-compat/protocols';
import type { ClientConnection } from '../server/session.ts';
import { ClientInput } from './client-input.ts';

export class StreamConnection implements ClientConnection {
  readonly input: ClientInput;
  readonly reader: WireReader;
  readonly #output: Writable;
  #isGathering = false;

  constructor(input: Readable, output: Writable) {
    this.input = new ClientInput(input);
    this.reader = new WireReader(this.input);
    this.#output = output;
    // Whoever sends is told; nobody else has to be.
    output.on('error', () => undefined);
  }

  get pendingBytes(): number {
    return this.#output.writableLength;
  }

  /** Fulfilled when the bytes have left, so that their memory can be used again. */
  send(bytes: Uint8Array): Promise<void> {
    this.#gather();
    return new Promise((resolve, reject) => {
      this.#output.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
  }

  /** The end of the log and the answer come together: a client that is woken for each costs more than both. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#output.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.#output.uncork();
    });
  }
}
