/** How far a command is that does one thing, for those who have no caller: copies, checks, garbage collection. */
import type { Arguments } from '../parse-words.ts';
import { type Display, displayOptions } from './display.ts';
import { openDisplay } from './open-display.ts';
import type { TaskProgress } from './progress-event.ts';

export class TaskDisplay implements Disposable {
  readonly #display: Display;

  constructor(args: Pick<Arguments<'quiet' | 'logFormat'>, 'has' | 'last'>) {
    const options = displayOptions({
      has: (option) => option === 'quiet' && args.has(option),
      last: (option) => args.last(option),
    });
    this.#display = openDisplay(options, process.env);
  }

  show(task: Omit<TaskProgress, 'kind'>): void {
    this.#display.report({ kind: 'task-progress', ...task });
  }

  /** To standard output or error, while it is shown. */
  write(file: 1 | 2, text: string | Uint8Array): void {
    this.#display.write(file, text);
  }

  [Symbol.dispose](): void {
    this.#display[Symbol.dispose]();
  }
}
