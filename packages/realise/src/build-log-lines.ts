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
    if (!line.startsWith('@nix ') || !this.#tell(line.slice('@nix '.length))) this.#sink.line(line);
  }

  /** Whether it is a message. Those about activities of the build are of no interest to others. */
  #tell(json: string): boolean {
    const message = readObject(json);
    if (message === undefined) return false;
    const { action, phase, level, msg } = message;
    if (action === 'setPhase' && typeof phase === 'string') this.#sink.phase(phase);
    if (action === 'msg' && typeof msg === 'string') {
      this.#sink.message(typeof level === 'number' ? level : 0, msg);
    }
    return true;
  }
}

type Message = Partial<Record<'action' | 'phase' | 'level' | 'msg', unknown>>;

function readObject(json: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
