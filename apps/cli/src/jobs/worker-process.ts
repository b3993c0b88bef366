/** A worker as who gives it work sees it: a process that takes orders, and says what it finds. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { JobPath } from './job-path.ts';
import { type WorkerOrder, type WorkerReport, type WorkerSetup, parseReport } from './worker-protocol.ts';

export type WorkerListener = {
  readonly onReport: (report: WorkerReport) => void;
  /** It is no more, for a reason in words. */
  readonly onEnd: (reason: string) => void;
};

export class WorkerProcess {
  readonly #process: ChildProcess;
  #rest = '';

  /** `command` is the program and its arguments. */
  constructor(command: readonly string[], setup: WorkerSetup, listener: WorkerListener) {
    const [program = '', ...args] = command;
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdin, stdout } = this.#process;
    stdout?.setEncoding('utf8');
    stdout?.on('data', (text: string) => {
      for (const report of this.#reports(text)) listener.onReport(report);
    });
    // It has ended, which is told anyway.
    stdin?.on('error', () => undefined);
    this.#process.on('error', (error) => listener.onEnd(`it could not be started: ${error.message}`));
    this.#process.on('close', (code, signal) => listener.onEnd(reasonOf(code, signal)));
    this.#say(setup);
  }

  perform(paths: readonly JobPath[]): void {
    this.#say({ paths });
  }

  /** There is nothing more to do. */
  end(): void {
    this.#process.stdin?.end();
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #say(message: WorkerSetup | WorkerOrder): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #reports(text: string): readonly WorkerReport[] {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map(parseReport);
  }
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'was killed by SIGKILL, perhaps for want of memory';
  return signal === null ? `ended with ${code}` : `was killed by ${signal}`;
}
