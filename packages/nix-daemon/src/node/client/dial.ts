/** Connections to programs of Nix: over a Unix socket, or over the standard input and output of one that is started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { WireReader } from '@neve/nix-compat/protocols';
import type { Dialer, RemoteConnection } from '../../client/remote-connection.ts';
import { plainText } from '../../client/plain-text.ts';
import { NixDaemonError } from '../../nix-daemon-error.ts';

/** A daemon that listens at a path. */
export function socketDialer(path: string): Dialer {
  return async (signal) => {
    const socket = connect(path);
    const name = `the daemon at '${path}'`;
    try {
      await once(socket, 'connect', signal === undefined ? {} : { signal });
    } catch (cause) {
      socket.destroy();
      signal?.throwIfAborted();
      throw cannotReach(name, cause);
    }
    const close = async (): Promise<void> => void socket.destroy();
    return new StreamedConnection({ name, input: socket, output: socket, close });
  };
}

/** How long a program may take to end when its input has. */
const endingMs = 5000;

/** How long the last words of a program are waited for. */
const lastWordsMs = 1000;

const tailSize = 1 << 12;

/** A program that speaks on its standard input and output. `name` is what it is called in messages. */
export function commandDialer(
  name: string,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Dialer {
  return async (signal) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment });
    const ended = once(child, 'close').catch(() => undefined);
    try {
      await once(child, 'spawn', signal === undefined ? {} : { signal });
    } catch (cause) {
      child.kill();
      signal?.throwIfAborted();
      throw cannotReach(name, cause);
    }
    const connection = new StreamedConnection({
      name,
      input: child.stdout,
      output: child.stdin,
      ended,
      close: async () => {
        child.stdin.destroy();
        child.stdout.destroy();
        const timer = setTimeout(() => child.kill(), endingMs);
        await ended;
        clearTimeout(timer);
      },
    });
    child.stderr.on('data', (bytes: Uint8Array) => connection.heard(bytes));
    return connection;
  };
}

type Streams = {
  readonly name: string;
  readonly input: Readable;
  readonly output: Writable;
  readonly close: () => Promise<void>;
  /** Of a program: when it has ended and was heard to the end. */
  readonly ended?: Promise<unknown>;
};

class StreamedConnection implements RemoteConnection {
  readonly name: string;
  readonly reader: WireReader;
  onStderr: (bytes: Uint8Array) => void = () => undefined;
  readonly #output: Writable;
  readonly #close: () => Promise<void>;
  readonly #ended: Promise<unknown> | undefined;
  #tail = '';
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  constructor({ name, input, output, close, ended }: Streams) {
    this.name = name;
    this.#output = output;
    this.#close = close;
    this.#ended = ended;
    this.reader = new WireReader(this.#pieces(input));
    // It is told to whoever writes next.
    output.on('error', (error) => (this.#failure ??= error));
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw await this.#broken(this.#failure);
    if (this.#output.destroyed) throw await this.#broken(new Error('it is closed'));
    if (this.#output.write(bytes)) return;
    try {
      await Promise.race([once(this.#output, 'drain'), closing(this.#output)]);
    } catch (cause) {
      throw await this.#broken(cause);
    }
  }

  heard(bytes: Uint8Array): void {
    this.#tail = (this.#tail + Buffer.from(bytes).toString()).slice(-tailSize);
    this.onStderr(bytes);
  }

  async stderrTail(): Promise<string> {
    if (this.#ended !== undefined) {
      const waited = new AbortController();
      const pause = sleep(lastWordsMs, undefined, { signal: waited.signal }).catch(() => undefined);
      await Promise.race([this.#ended, pause]);
      waited.abort();
    }
    return this.#tail;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async *#pieces(input: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* input as AsyncIterable<Uint8Array>;
    } catch (cause) {
      // What was closed on purpose ends, and so does what the other side closed.
      if (this.#closed === undefined) throw await this.#broken(cause);
    }
  }

  async #broken(cause: unknown): Promise<NixDaemonError> {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const tail = plainText(await this.stderrTail()).trim();
    const said = tail === '' ? '' : `; it said:\n${tail}`;
    return new NixDaemonError('io', `the connection to ${this.name} broke: ${problem}${said}`, { cause });
  }
}

async function closing(output: Writable): Promise<never> {
  await once(output, 'close');
  throw new Error('it was closed');
}

function cannotReach(name: string, cause: unknown): NixDaemonError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new NixDaemonError('io', `${name} cannot be reached: ${problem}; check that it runs`, { cause });
}
