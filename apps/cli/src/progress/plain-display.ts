/** A line for each thing that is begun, as Nix prints them where it does not draw. */
import { BuildLogLines } from '@neve/realise/build-log-lines';
import { formatBytes } from '../quantities.ts';
import type { Display, DisplayOptions } from './display.ts';
import { type ProgressEvent, nameOfPath } from './progress-event.ts';

type Write = (file: 1 | 2, text: string | Uint8Array) => void;

export class PlainDisplay implements Display {
  readonly write: Write;
  readonly #options: Pick<DisplayOptions, 'buildLogs' | 'quiet'>;
  /** By derivation. */
  readonly #logs = new Map<string, BuildLogLines>();

  constructor(write: Write, options: Pick<DisplayOptions, 'buildLogs' | 'quiet'>) {
    this.write = write;
    this.#options = options;
  }

  report(event: ProgressEvent): void {
    switch (event.kind) {
      case 'build-started':
        this.#line(`building '${event.storePath}'...`);
        return;
      case 'check-started':
        this.#line(`checking '${event.storePath}'...`);
        return;
      case 'build-log':
        if (this.#options.buildLogs !== 'none') this.#log(event.storePath, event.log);
        return;
      case 'build-succeeded':
      case 'build-failed':
      case 'build-refused':
        this.#endLog(event.storePath);
        return;
      case 'substitution-started':
        this.#line(`copying path '${event.storePath}' from '${event.detail}'...`);
        return;
      case 'substitution-failed':
        this.#warn(`'${event.storePath}' could not be substituted: ${event.detail}`);
        return;
      case 'cache-failed':
      case 'warning':
        this.#warn(event.detail);
        return;
      case 'waiting-for-lock':
        this.#line(`waiting for another process that makes '${event.storePath}'...`);
        return;
      case 'download-started': {
        const size = event.totalBytes === undefined ? '' : ` (${formatBytes(event.totalBytes)})`;
        this.#line(`downloading '${event.detail}'${size}...`);
        return;
      }
      case 'unpacking':
        this.#line(`unpacking '${event.detail}'...`);
        return;
      case 'failure':
        this.write(2, event.detail);
        return;
      default:
      // The rest would be too much to read.
    }
  }

  [Symbol.dispose](): void {
    for (const derivation of [...this.#logs.keys()]) this.#endLog(derivation);
  }

  #log(derivation: string, bytes: Uint8Array): void {
    let lines = this.#logs.get(derivation);
    if (lines === undefined) {
      const prefix = this.#options.buildLogs === 'named' ? `${nameOfPath(derivation)}> ` : '';
      lines = new BuildLogLines({
        line: (line) => this.write(2, `${prefix}${line}\n`),
        phase: () => undefined,
        message: (_level, text) => this.write(2, `${prefix}${text}\n`),
      });
      this.#logs.set(derivation, lines);
    }
    lines.write(bytes);
  }

  #endLog(derivation: string): void {
    this.#logs.get(derivation)?.end();
    this.#logs.delete(derivation);
  }

  #line(text: string): void {
    if (!this.#options.quiet) this.write(2, `${text}\n`);
  }

  #warn(text: string): void {
    this.write(2, `warning: ${text}\n`);
  }
}
