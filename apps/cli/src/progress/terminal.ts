/**
 * The terminal that standard error is: its size, the clock, and the ways in which a program leaves it. Whatever way that is,
 * what was drawn is gone and the cursor is there again; only SIGKILL cannot be helped.
 */
import type { Environment } from '../caller.ts';
import { isTerminal, write } from '../output.ts';

export type TerminalWatch = {
  readonly onResize: () => void;
  /** The process ends or stops; called before it does. */
  readonly onLeave: () => void;
  /** It goes on after a stop. */
  readonly onReturn: () => void;
};

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Whether standard output is a terminal as well. */
  readonly isOutput: boolean;
  /** Whether it wraps lines anew when it becomes narrower. */
  readonly wrapsAnew: boolean;
  /** In milliseconds. */
  now(): number;
  write(file: 1 | 2, text: string | Uint8Array): void;
  watch(watch: TerminalWatch): Disposable;
}

/** `undefined` when standard error is none, or none that can be drawn on. */
export function openTerminal(environment: Environment): Terminal | undefined {
  if ((environment['TERM'] ?? 'dumb') === 'dumb' || !isTerminal(2)) return undefined;
  return new ProcessTerminal(environment);
}

class ProcessTerminal implements Terminal {
  readonly isOutput: boolean = isTerminal(1);
  readonly wrapsAnew: boolean;
  readonly write: Terminal['write'] = write;

  constructor(environment: Environment) {
    this.wrapsAnew = environment['XTERM_VERSION'] === undefined && environment['TERM'] !== 'linux';
  }

  // A terminal may not know its size, and say 0.
  get columns(): number {
    return process.stderr.columns || 80;
  }

  get rows(): number {
    return process.stderr.rows || 24;
  }

  now(): number {
    return performance.now();
  }

  watch({ onResize, onLeave, onReturn }: TerminalWatch): Disposable {
    const endings = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const).map((signal) => {
      const end = (): void => {
        // Whoever else listens ends everything in good order.
        if (process.listenerCount(signal) > 1) return;
        onLeave();
        process.off(signal, end);
        process.kill(process.pid, signal);
      };
      return [signal, end] as const;
    });
    const stop = (): void => {
      onLeave();
      process.off('SIGTSTP', stop);
      process.kill(process.pid, 'SIGTSTP');
    };
    const goOn = (): void => {
      process.off('SIGTSTP', stop);
      process.on('SIGTSTP', stop);
      onReturn();
    };
    for (const [signal, end] of endings) process.on(signal, end);
    process.on('SIGTSTP', stop);
    process.on('SIGCONT', goOn);
    process.on('exit', onLeave);
    process.stderr.on('resize', onResize);
    return {
      [Symbol.dispose]: () => {
        for (const [signal, end] of endings) process.off(signal, end);
        process.off('SIGTSTP', stop);
        process.off('SIGCONT', goOn);
        process.off('exit', onLeave);
        process.stderr.off('resize', onResize);
      },
    };
  }
}
