/**
 * What a client is told while a request is under way. Outside of requests nothing may be sent, so that what happens then is
 * kept for the next one.
 *
 * A client that does not read cannot hold up what others wait for as well: when too much is on its way, lines of build logs are
 * left out, and it is told how many. Everything else is small.
 */
import { verbosity } from '@neve/nix-compat';
import type { ActivityType, LogFrame, ResultType, Verbosity } from '@neve/nix-compat/protocols';

/** Where frames go. */
export interface FrameSink {
  send(frame: LogFrame): void;
  /** What was sent and has not left. */
  readonly pendingBytes: number;
}

export type ActivityFields = readonly (string | number)[];

export type NewActivity = {
  readonly type: ActivityType;
  readonly level: Verbosity;
  readonly text?: string;
  readonly fields?: ActivityFields;
  /** 0 for none. */
  readonly parent?: bigint;
};

/** More than this is not put on its way to a client that does not read. */
const maxPendingBytes = 8 << 20;

/** As many messages wait for the next request. */
const maxWaiting = 1000;

export class ClientLog {
  /** What the client wants to see. */
  level: Verbosity = verbosity.info;
  readonly #sink: FrameSink;
  readonly #hasActivities: boolean;
  /** The client has activities of its own, with numbers that must be others. */
  #lastId: bigint = BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) << 31n;
  #isOpen = false;
  #waiting: LogFrame[] = [];
  #leftOut = 0;

  constructor(sink: FrameSink, { hasActivities }: { readonly hasActivities: boolean }) {
    this.#sink = sink;
    this.#hasActivities = hasActivities;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From now on the client listens. */
  open(): void {
    this.#isOpen = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) this.#sink.send(frame);
  }

  /** From now on it does not; `frame` is what ends the request. */
  close(frame: Extract<LogFrame, { readonly kind: 'last' | 'error' }>): void {
    this.#isOpen = false;
    this.#sink.send(frame);
  }

  message(level: Verbosity, text: string): void {
    if (level <= this.level) this.#send({ kind: 'next', text: `${text}\n` });
  }

  warn(text: string): void {
    this.message(verbosity.warning, `warning: ${text}`);
  }

  /** Further lines of a message stand below its first. */
  error(text: string): void {
    this.message(verbosity.error, `error: ${text.replaceAll('\n', '\n       ')}`);
  }

  start({ type, level, text = '', fields = [], parent = 0n }: NewActivity): bigint {
    const id = ++this.#lastId;
    if (this.#hasActivities) {
      this.#send({ kind: 'startActivity', id, level, type, text, fields: fields.map(logField), parent });
    } else if (text !== '') this.message(level, `${text}...`);
    return id;
  }

  stop(id: bigint): void {
    if (this.#hasActivities) this.#send({ kind: 'stopActivity', id });
  }

  result(id: bigint, type: ResultType, fields: ActivityFields): void {
    if (this.#hasActivities) this.#send({ kind: 'result', id, type, fields: fields.map(logField) });
  }

  /** One line of a build's log. */
  line(id: bigint, line: string): void {
    if (this.#sink.pendingBytes > maxPendingBytes) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const note = `(${this.#leftOut} lines of the log are left out here, since the client does not read)`;
      this.#leftOut = 0;
      this.result(id, 'buildLogLine', [note]);
    }
    this.result(id, 'buildLogLine', [line]);
  }

  #send(frame: LogFrame): void {
    if (this.#isOpen) this.#sink.send(frame);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(frame);
  }
}

function logField(value: string | number): string | bigint {
  return typeof value === 'number' ? BigInt(value) : value;
}
