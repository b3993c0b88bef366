/**
 * The log of a build is a pseudo-terminal, as with Nix: programs see a terminal, so they print line by line and both
 * streams stay in order, and what they write depends on it now and then. It is in raw mode: bytes come as they were written.
 *
 * A pipe would do less well: Node gives its children sockets, and `/dev/stderr` cannot be opened where it is a socket.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fchownSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { BuildError } from '../../build-error.ts';
import { cLibrary } from '../c-library.ts';
import type { UserIds } from './sandbox.ts';

export type PseudoTerminal = {
  /** For the command. */
  readonly slave: number;
  /** What is printed comes from now on. */
  read(onBytes: (bytes: Uint8Array) => void): void;
  /** To be called when nobody has the slave any more; fulfilled when all that was printed has come. */
  drain(): Promise<void>;
  close(): void;
};

const openFlags = constants.O_RDWR | constants.O_NOCTTY;
const closeOnExec = 0o2_000_000;
/** More than `struct termios` has anywhere. */
const attributesBytes = 256;

/** Throws `BuildError` (`no-sandbox`) on a machine without pseudo-terminals, or when there are too many. */
export async function openPseudoTerminal(owner: UserIds | undefined): Promise<PseudoTerminal> {
  const library = await cLibrary();
  const master = library.posix_openpt(openFlags | closeOnExec);
  if (master < 0) throw noTerminal('/dev/ptmx cannot be opened');
  try {
    const name = new Uint8Array(128);
    if (library.grantpt(master) !== 0 || library.unlockpt(master) !== 0) throw noTerminal('it is locked');
    if (library.ptsname_r(master, name, name.length) !== 0) throw noTerminal('it has no name');
    const path = Buffer.from(name.subarray(0, name.indexOf(0))).toString('latin1');
    const slave = openSync(path, openFlags);
    const attributes = new Uint8Array(attributesBytes);
    library.tcgetattr(slave, attributes);
    library.cfmakeraw(attributes);
    library.tcsetattr(slave, 0, attributes);
    if (owner !== undefined) fchownSync(slave, owner.uid, owner.gid);
    const writer = openSync(path, openFlags | constants.O_NONBLOCK);
    return new OpenTerminal(master, slave, writer);
  } catch (cause) {
    closeSync(master);
    if (cause instanceof BuildError) throw cause;
    throw noTerminal(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function noTerminal(reason: string, cause?: unknown): BuildError {
  const problem = `no pseudo-terminal for the log of a build: ${reason}`;
  return new BuildError('no-sandbox', `${problem}; /dev/pts has to be mounted`, { cause });
}

/**
 * The slave stays open here until the end: when the last one is closed, libuv takes what it read last for the end of the
 * stream, although up to 64 KiB may still be in the kernel. So the end is a mark that comes after all other bytes.
 */
class OpenTerminal implements PseudoTerminal {
  readonly slave: number;
  readonly #writer: number;
  readonly #stream: ReadStream;
  readonly #mark = randomBytes(24);
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #draining: { readonly resolve: () => void; pending: Buffer } | undefined;
  #isOpen = true;

  constructor(master: number, slave: number, writer: number) {
    this.slave = slave;
    this.#writer = writer;
    this.#stream = new ReadStream(master);
    this.#stream.on('error', () => this.#draining?.resolve());
    this.#stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#stream.pause();
  }

  read(onBytes: (bytes: Uint8Array) => void): void {
    this.#onBytes = onBytes;
    this.#stream.resume();
  }

  async drain(): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#draining = { resolve, pending: Buffer.alloc(0) };
    });
    for (let written = 0; written < this.#mark.length;) {
      const count = tryWrite(this.#writer, this.#mark.subarray(written));
      written += count;
      // The terminal is full; what is in it is read meanwhile.
      if (count === 0) await sleep(1);
    }
    await drained;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.slave);
    closeSync(this.#writer);
    this.#stream.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#draining === undefined) {
      this.#onBytes(bytes);
      return;
    }
    // As many bytes as the mark has may be its beginning.
    const joined = Buffer.concat([this.#draining.pending, bytes]);
    const isEnd =
      joined.length >= this.#mark.length && joined.subarray(-this.#mark.length).equals(this.#mark);
    const given = Math.max(0, joined.length - this.#mark.length);
    if (given > 0) this.#onBytes(joined.subarray(0, given));
    this.#draining.pending = joined.subarray(given);
    if (isEnd) this.#draining.resolve();
  }
}

function tryWrite(file: number, bytes: Uint8Array): number {
  try {
    return writeSync(file, bytes);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN') return 0;
    throw cause;
  }
}
