/**
 * The output of a build in lines. A carriage return begins a line anew, as a terminal does; a line that is too long comes in
 * parts. Lines of the form `@nix {…}` are messages to Nix.
 */
import { concatBytes, decodeUtf8 } from '@neve/bytes';

export type LogLineSink = {
  readonly line: (text: string) => void;
  readonly phase: (name: string) => void;
  readonly message: (level: number, text: string) => void;
};

const maxLineBytes = 1 << 16;
const lineEnd = 0x0a;

export class BuildLogLines {
  readonly #sink: LogLineSink;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(sink: LogLineSink) {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, start)) {
      this.#take(bytes.subarray(start, end));
      this.#end();
      start = end + 1;
    }
    this.#take(bytes.subarray(start));
  }

  /** What came after the last line end is a line too. */
  end(): void {
    if (this.#pending.length > 0) this.#end();
  }

  #take(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, maxLineBytes - this.#pending.length);
      this.#pending = concatBytes([this.#pending, part]);
      rest = rest.subarray(part.length);
      if (this.#pending.length === maxLineBytes) this.#end();
    }
  }

  #end(): void {
    const text = decodeUtf8(this.#pending).replace(/\r+$/, '');
    this.#pending = new Uint8Array(0);
    const line = text.slice(text.lastIndexOf('\r') + 1);
    const message = readMessage(line);
    if (message === undefined) this.#sink.line(line);
    else this.#tell(message);
  }

  /** Those about activities of the build are of no interest to others. */
  #tell({ action, phase, level, msg }: Message): void {
    if (action === 'setPhase' && typeof phase === 'string') this.#sink.phase(phase);
    if (action === 'msg' && typeof msg === 'string') {
      this.#sink.message(typeof level === 'number' ? level : 0, msg);
    }
  }
}

/** Whether a line is a message to Nix, and no line of the log. */
export function isNixMessage(line: string): boolean {
  return readMessage(line) !== undefined;
}

type Message = Partial<Record<'action' | 'phase' | 'level' | 'msg', unknown>>;

function readMessage(line: string): Message | undefined {
  if (!line.startsWith('@nix ')) return undefined;
  try {
    const value: unknown = JSON.parse(line.slice('@nix '.length));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
