/**
 * Ctrl-C and its kin: what is under way is ended in good order, and the exit code is 128 and the number of the signal. A second
 * signal ends the process at once.
 */
const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export type SignalName = keyof typeof numbers;

export function isSignalName(name: string): name is SignalName {
  return Object.hasOwn(numbers, name);
}

/** The reason of what was aborted. Other scripts know it by its name. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly exitCode: number;
  readonly signal: SignalName;

  constructor(signal: SignalName) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
    this.exitCode = 128 + numbers[signal];
  }
}

/** It may come from another script, with a class of its own. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'Interruption';
}

/** Calls `interrupt` for the first signal that comes before it is disposed of. */
export function watchInterruptions(interrupt: (interruption: Interruption) => void): Disposable {
  const names = Object.keys(numbers) as SignalName[];
  const stop = (name: NodeJS.Signals): void => {
    remove();
    interrupt(new Interruption(name as SignalName));
  };
  const remove = (): void => {
    for (const name of names) process.off(name, stop);
  };
  for (const name of names) process.on(name, stop);
  return { [Symbol.dispose]: remove };
}

/** Waits until a signal is aborted, be it already. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
