/** The last lines of what a build prints. A carriage return goes back to the beginning of the line, as on a terminal. Messages to Nix are left out. */
import { decodeUtf8 } from '@neve/bytes';
import { isNixMessage } from './build-log-lines.ts';

const maxLineBytes = 4096;

export class LogTail {
  readonly #maxLines: number;
  readonly #lines: string[] = [];
  #rest = new Uint8Array();

  constructor(maxLines: number) {
    this.#maxLines = maxLines;
  }

  write(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      this.#push(joined(this.#rest, bytes.subarray(start, end)));
      this.#rest = new Uint8Array();
      start = end + 1;
    }
    this.#rest = joined(this.#rest, bytes.subarray(start)).subarray(-maxLineBytes);
  }

  /** Whole lines, and what came after the last. */
  get lines(): readonly string[] {
    if (this.#rest.length === 0) return this.#lines;
    return [...this.#lines, shown(this.#rest)].slice(-this.#maxLines);
  }

  #push(line: Uint8Array): void {
    const text = shown(line);
    if (isNixMessage(text)) return;
    this.#lines.push(text);
    if (this.#lines.length > this.#maxLines) this.#lines.shift();
  }
}

const newline = 0x0a;

function shown(line: Uint8Array): string {
  const text = decodeUtf8(line).replace(/\r+$/, '');
  return text.slice(text.lastIndexOf('\r') + 1);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
