// A program at a pseudo-terminal with a screen: what is shown at a moment, what is done to it, and how it ends.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Screen } from './screen.mjs';

const helper = join(dirname(fileURLToPath(import.meta.url)), 'pseudo-terminal.py');

/** @typedef {{ rows: number, columns: number }} Size */

export class TerminalSession {
  #child;
  #received = Buffer.alloc(0);
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** Screens after each frame, with the milliseconds since the start. */
  /** @type {{ ms: number, text: string }[]} */
  recording = [];
  /** @type {number | undefined} */
  exitCode;
  bytes = 0;
  /** How often a colour was set. */
  get colours() {
    return this.screen.colours;
  }

  /** @type {Promise<void>} */
  ended;

  /**
   * @param {readonly string[]} command
   * @param {{ size: Size, env: NodeJS.ProcessEnv, cwd: string }} options
   */
  constructor(command, { size, env, cwd }) {
    const start = performance.now();
    this.screen = new Screen(size);
    const record = () => {
      const { text } = this.screen;
      if (this.recording.at(-1)?.text !== text) this.recording.push({ ms: performance.now() - start, text });
    };
    this.screen.onFrame = record;
    this.#child = spawn('python3', [helper, String(size.rows), String(size.columns), ...command], {
      ...{ env, cwd },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.ended = new Promise((fulfil, reject) => {
      this.#child.on('error', reject);
      this.#child.stdout.on('data', (/** @type {Buffer} */ bytes) => {
        try {
          this.#take(bytes);
          if (!this.screen.isInFrame) record();
        } catch (error) {
          this.#child.kill();
          reject(error);
        }
      });
      this.#child.on('close', () => {
        for (const watcher of this.#watchers) watcher();
        fulfil();
      });
    });
    this.ended.catch(() => undefined);
  }

  /** @param {Size} size */
  resize(size) {
    this.screen.resize(size);
    this.#child.stdin.write(`size ${size.rows} ${size.columns}\n`);
  }

  /** @param {keyof typeof constants.signals} name */
  signal(name) {
    this.#child.stdin.write(`signal ${constants.signals[name]}\n`);
  }

  /** @param {number} code */
  type(code) {
    this.#child.stdin.write(`key ${code}\n`);
  }

  /**
   * Waits for a screen. Gives it.
   *
   * @param {(text: string) => boolean} isWanted
   * @returns {Promise<string>}
   */
  shows(isWanted) {
    return new Promise((fulfil, reject) => {
      const timer = setTimeout(() => finish(), 60_000);
      const finish = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        if (isWanted(this.screen.text)) fulfil(this.screen.text);
        else reject(new Error(`this is not what was waited for:\n${this.screen.history}`));
      };
      const look = () => {
        if (this.exitCode !== undefined || (!this.screen.isInFrame && isWanted(this.screen.text))) finish();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 5) {
      const length = this.#received.readUInt32BE(1);
      if (this.#received.length < 5 + length) return;
      const kind = String.fromCharCode(this.#received[0] ?? 0);
      const block = this.#received.subarray(5, 5 + length);
      this.#received = this.#received.subarray(5 + length);
      if (kind === 'e') this.exitCode = Number(block.toString());
      else {
        this.bytes += block.length;
        this.screen.write(block);
      }
      for (const watcher of this.#watchers) watcher();
    }
  }
}
