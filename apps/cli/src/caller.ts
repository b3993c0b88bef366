/**
 * Whoever started a command: where its output goes, and what it inherits. It is this process itself, or a client of the
 * daemon, whose commands run side by side in one process: nothing that runs for a caller looks at `process` for these.
 */
import { readFileSync } from 'node:fs';
import { type Interruption, watchInterruptions } from './interruption.ts';
import { isTerminal, write } from './output.ts';
import type { Display } from './progress/display.ts';
import type { ProgressEvent } from './progress/progress-event.ts';
import { type SourceLink, linkToFile } from './source-link.ts';
import { wantsColour, wantsLinks } from './terminal-wishes.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Caller {
  readonly environment: Environment;
  /** Absolute; relative paths begin here. */
  readonly directory: string;
  /** To standard output or error. Returns when it is written, or is sure to be. */
  write(file: 1 | 2, text: string | Uint8Array): void;
  /** Tells what happens, which is shown in the form that the caller wants. */
  report(event: ProgressEvent): void;
  /** Whether messages may be coloured. */
  wantsColour(): boolean;
  /** What messages link a place in a source to; without it there are no links. */
  readonly sourceLink?: SourceLink | undefined;
  /** All of standard input. */
  readStandardInput(): Uint8Array;
  /** Calls `interrupt` for the first signal that comes before it is disposed of. Otherwise a signal ends everything. */
  watchInterruptions(interrupt: (interruption: Interruption) => void): Disposable;
}

/** This process. Once it has a display, all that is written goes through that. */
export class ProcessCaller implements Caller, Disposable {
  readonly environment: Environment = process.env;
  readonly watchInterruptions: Caller['watchInterruptions'] = watchInterruptions;
  #display: Display | undefined;

  get directory(): string {
    return process.cwd();
  }

  get sourceLink(): SourceLink | undefined {
    return wantsLinks(process.env, isTerminal) ? linkToFile : undefined;
  }

  wantsColour(): boolean {
    return wantsColour(process.env, isTerminal);
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    if (this.#display === undefined) write(file, text);
    else this.#display.write(file, text);
  }

  report(event: ProgressEvent): void {
    this.#display?.report(event);
  }

  /** Unless it has one. */
  showOn(open: () => Display): void {
    this.#display ??= open();
  }

  readStandardInput(): Uint8Array {
    return readFileSync(0);
  }

  [Symbol.dispose](): void {
    this.#display?.[Symbol.dispose]();
    this.#display = undefined;
  }
}
