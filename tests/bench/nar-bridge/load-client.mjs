// A client that costs less than the servers: sockets that read into one buffer each, and heads that are only looked at for what is
// needed. Answers need a `content-length`, as those of both servers have.

import { createHash } from 'node:crypto';
import { connect } from 'node:net';

const bufferLength = 1 << 20;
const endOfHead = Buffer.from('\r\n\r\n');

/**
 * @typedef {object} LoadOptions
 * @property {number} port
 * @property {readonly string[]} paths each is asked for once
 * @property {number} connections kept for all requests; the next free one takes the next path
 * @property {(path: string, body: Buffer) => void} [onBody] gets whole bodies; for samples, since they are put together
 */

/**
 * Fulfilled when all have been answered with 200.
 *
 * @param {LoadOptions} options
 * @returns {Promise<{ bytes: number, wallSeconds: number, cpuSeconds: number }>} of bodies, and of this process
 */
export async function load(options) {
  const queue = options.paths.toReversed();
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const all = Array.from({ length: Math.min(options.connections, queue.length) }, () =>
    new Connection(options, queue).run(),
  );
  const bytes = (await Promise.all(all)).reduce((sum, it) => sum + it, 0);
  const { user, system } = process.cpuUsage(startedCpu);
  return {
    bytes,
    wallSeconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
  };
}

class Connection {
  /** @type {LoadOptions} */
  #options;
  /** @type {string[]} */
  #queue;
  #path = '';
  #head = Buffer.alloc(0);
  /** Of the body; negative while the head is read. */
  #left = -1;
  #bytes = 0;
  /** @type {Buffer[]} */
  #pieces = [];
  /** @type {import('node:net').Socket} */
  // @ts-expect-error set by `run`
  #socket;
  /** @type {(bytes: number) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  /**
   * @param {LoadOptions} options
   * @param {string[]} queue
   */
  constructor(options, queue) {
    this.#options = options;
    this.#queue = queue;
  }

  /** @returns {Promise<number>} */
  run() {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const onread = {
        buffer: Buffer.allocUnsafeSlow(bufferLength),
        callback: (/** @type {number} */ length, /** @type {Uint8Array} */ bytes) => {
          this.#take(/** @type {Buffer} */ (bytes).subarray(0, length));
          return true;
        },
      };
      this.#socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true, onread }, () =>
        this.#ask(),
      );
      this.#socket.on('error', reject);
      this.#socket.on('close', () => reject(new Error(`${this.#path}: the connection was closed`)));
    });
  }

  #ask() {
    const path = this.#queue.pop();
    if (path === undefined) {
      this.#resolve(this.#bytes);
      this.#socket.destroy();
      return;
    }
    this.#path = path;
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    if (this.#left < 0) {
      const all = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
      const end = all.indexOf(endOfHead);
      if (end < 0) {
        this.#head = Buffer.from(all);
        return;
      }
      const head = all.toString('latin1', 0, end);
      this.#head = Buffer.alloc(0);
      this.#left = Number(/\r\ncontent-length: ([0-9]+)/i.exec(head)?.[1] ?? NaN);
      if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(this.#left)) {
        this.#reject(new Error(`${this.#path}: ${head}`));
        this.#socket.destroy();
        return;
      }
      bytes = all.subarray(end + 4);
    }
    this.#left -= bytes.length;
    this.#bytes += bytes.length;
    const { onBody } = this.#options;
    if (onBody !== undefined) this.#pieces.push(Buffer.from(bytes));
    if (this.#left > 0) return;
    this.#left = -1;
    onBody?.(this.#path, Buffer.concat(this.#pieces.splice(0)));
    this.#ask();
  }
}

/** @param {Uint8Array} bytes */
export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest();
}

/**
 * A client that takes 64 KiB every so often; it never ends by itself.
 *
 * @param {{ port: number, path: string, everyMs: number }} options
 * @returns {() => void} leaves
 */
export function slowClient({ port, path, everyMs }) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  socket.pause();
  const timer = setInterval(() => socket.read(1 << 16), everyMs);
  return () => {
    clearInterval(timer);
    socket.destroy();
  };
}
