/**
 * A trace of Chrome in a file, written as it goes: what is older than a fifth of a second is in the file whenever anything is
 * measured, so that the trace of a process that was killed can be read.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { ChromeTracer } from '../chrome/chrome-tracer.ts';
import type { Tracer } from '../span.ts';

const maxDelayMs = 200;
const maxChars = 1 << 16;

export type TraceFileOptions = {
  readonly path: string;
  readonly processName: string;
  /** Is told once, when the file cannot be written any more. */
  readonly warn: (message: string) => void;
};

export type TraceFile = {
  readonly tracer: Tracer;
  /** Ends the trace: then it is JSON. */
  end(): void;
};

/** Creates the file, or empties it. Throws what the system says if that is not possible. */
export function openTraceFile({ path, processName, warn }: TraceFileOptions): TraceFile {
  const output = new DelayedFile(path, warn);
  const tracer = new ChromeTracer({
    processName,
    processId: process.pid,
    write: (text) => output.write(text),
  });
  return {
    tracer,
    end: () => {
      tracer.end();
      output.close();
    },
  };
}

class DelayedFile {
  readonly #name: string;
  readonly #warn: (message: string) => void;
  readonly #timer: NodeJS.Timeout;
  #file: number | undefined;
  #pending = '';
  #flushedMs = performance.now();

  constructor(path: string, warn: (message: string) => void) {
    this.#name = basename(path);
    this.#warn = warn;
    this.#file = openSync(path, 'w');
    // While nothing is measured for long.
    this.#timer = setInterval(() => this.#flush(), maxDelayMs);
    this.#timer.unref();
  }

  write(text: string): void {
    if (this.#file === undefined) return;
    this.#pending += text;
    const isDue = this.#pending.length > maxChars || performance.now() - this.#flushedMs > maxDelayMs;
    if (isDue) this.#flush();
  }

  close(): void {
    this.#flush();
    clearInterval(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    this.#flushedMs = performance.now();
    if (this.#file === undefined || this.#pending === '') return;
    let bytes: Uint8Array = Buffer.from(this.#pending);
    this.#pending = '';
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#file, bytes));
    } catch (error) {
      // The work goes on: a trace is no reason to fail it.
      this.#file = undefined;
      clearInterval(this.#timer);
      this.#warn(`the trace file ${this.#name} is incomplete: ${String(error)}`);
    }
  }
}
