/** Machines that build, for whoever has some to build: their jobs are counted together, and each is connected once. */
import { NixDaemonError } from '../nix-daemon-error.ts';
import { MachineSlots } from './machine-slots.ts';
import type { Machine } from './machines.ts';
import type { RemoteStore } from './remote-store.ts';

export type MachinePoolOptions = {
  readonly machines: readonly Machine[];
  /** How much is built on this machine at the same time. */
  readonly localJobs: number;
  /** Opens the store of a machine. It is closed with the pool. */
  readonly open: (machine: Machine) => RemoteStore;
  readonly warn: (message: string) => void;
};

export class MachinePool implements AsyncDisposable {
  readonly machines: readonly Machine[];
  readonly slots: MachineSlots;
  readonly #options: MachinePoolOptions;
  readonly #stores = new Map<Machine, RemoteStore>();

  constructor(options: MachinePoolOptions) {
    this.machines = options.machines;
    this.slots = new MachineSlots(options.machines, options.localJobs);
    this.#options = options;
  }

  /** Of all machines but this one. */
  get jobs(): number {
    return this.machines.reduce((total, { maxJobs }) => total + maxJobs, 0);
  }

  warn(message: string): void {
    this.#options.warn(message);
  }

  /** Nothing for a machine that cannot be reached, which is not asked again. */
  async reach(machine: Machine, signal: AbortSignal | undefined): Promise<RemoteStore | undefined> {
    const remote = this.#stores.get(machine) ?? this.#options.open(machine);
    this.#stores.set(machine, remote);
    try {
      await remote.connect(signal);
      return remote;
    } catch (error) {
      if (!(error instanceof NixDaemonError)) throw error;
      this.slots.disable(machine);
      this.warn(`cannot build on '${machine.url.text}': ${error.message}`);
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#stores.values()].map((it) => it[Symbol.asyncDispose]()));
  }
}
