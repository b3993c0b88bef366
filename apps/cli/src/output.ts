/**
 * Standard output and error, written at once, so that an exit loses nothing. Where a program wants what is said in a form of
 * its own (`--log-format json`), whatever any script says to standard error takes that form here.
 */
import { fstatSync, writeSync } from 'node:fs';

type Say = (text: string | Uint8Array) => void;

// Each script has a copy of this module.
const key: unique symbol = Symbol.for('neve.standard-error');

type Holder = { [key]?: Say | undefined };

/** What is said to standard error goes to `say` from now on, which has `writeAsIs`. */
export function setStandardError(say: Say): void {
  (globalThis as Holder)[key] = say;
}

/** To standard error in the form that is wanted there. */
export function write(file: 1 | 2, text: string | Uint8Array): void {
  const say = file === 2 ? (globalThis as Holder)[key] : undefined;
  if (say === undefined) writeAsIs(file, text);
  else say(text);
}

/** Writes all of it; a reader that has gone away ends the program quietly, as `SIGPIPE` would. */
export function writeAsIs(file: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(file, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') process.exit(file === 1 ? 141 : 1);
      // A pipe that is full for the moment and does not block.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Whether it is a terminal; standard error unless given. */
export function isTerminal(file: 1 | 2 = 2): boolean {
  // Making the stream takes long; a pipe or a file need not be asked what only a device can be.
  return isDevice(file) && (file === 1 ? process.stdout : process.stderr).isTTY;
}

function isDevice(file: number): boolean {
  try {
    return fstatSync(file).isCharacterDevice();
  } catch {
    return false;
  }
}
