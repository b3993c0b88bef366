/**
 * Whoever started a command: where its output goes, and what it inherits. It is this process itself, or a client of the
 * daemon, whose commands run side by side in one process: nothing that runs for a caller looks at `process` for these.
 */
import { readFileSync } from 'node:fs';
import { type Interruption, watchInterruptions } from './interruption.ts';
import { isTerminal, write } from './output.ts';
import { type SourceLink, linkToFile } from './source-link.ts';
import { wantsColour, wantsLinks } from './terminal-wishes.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Caller {
  readonly environment: Environment;
  /** Absolute; relative paths begin here. */
  readonly directory: string;
  /** To standard output or error. Returns when it is written, or is sure to be. */
  write(file: 1 | 2, text: string | Uint8Array): void;
  /** Whether messages may be coloured. */
  wantsColour(): boolean;
  /** What messages link a place in a source to; without it there are no links. */
  readonly sourceLink?: SourceLink | undefined;
  /** All of standard input. */
  readStandardInput(): Uint8Array;
  /** Calls `interrupt` for the first signal that comes before it is disposed of. Otherwise a signal ends everything. */
  watchInterruptions(interrupt: (interruption: Interruption) => void): Disposable;
}

export const processCaller: Caller = {
  environment: process.env,
  get directory() {
    return process.cwd();
  },
  write,
  wantsColour: () => wantsColour(process.env, isTerminal),
  get sourceLink() {
    return wantsLinks(process.env, isTerminal) ? linkToFile : undefined;
  },
  readStandardInput: () => readFileSync(0),
  watchInterruptions,
};
