/** Standard output and error, written at once, so that an exit loses nothing. */
import { fstatSync, writeSync } from 'node:fs';

/** Writes all of it; a reader that has gone away ends the program quietly, as `SIGPIPE` would. */
export function write(file: 1 | 2, text: string | Uint8Array): void {
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
