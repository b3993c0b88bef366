/**
 * What happens as JSON, one object a line on standard error, for programs:
 *
 *     {"event":"build-started","path":"/nix/store/….drv"}
 *     {"event":"build-log","path":"…","line":"…"}    lines as a terminal would show them; phases are events of their own
 *     {"event":"message","level":"error","text":"…"} whatever else is said
 *
 * Events are named as in `ProgressEvent`; `message`, `cache` and `url` are what `detail` is there.
 */
import { BuildLogLines } from '@neve/realise/build-log-lines';
import type { Display } from './display.ts';
import type { ProgressEvent } from './progress-event.ts';
import { SaidLines } from './said-lines.ts';

type Write = (file: 1 | 2, text: string | Uint8Array) => void;

export class JsonDisplay implements Display {
  readonly #write: Write;
  readonly #logs = new Map<string, BuildLogLines>();
  readonly #said = new SaidLines((text) => this.#message(text));

  constructor(write: Write) {
    this.#write = write;
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    if (file === 1) this.#write(1, text);
    else this.#said.write(text);
  }

  report(event: ProgressEvent): void {
    switch (event.kind) {
      case 'build-log':
        this.#logOf(event.storePath).write(event.log);
        return;
      case 'build-succeeded':
      case 'build-failed':
      case 'build-refused':
        this.#logs.get(event.storePath)?.end();
        this.#logs.delete(event.storePath);
        this.#tell(event);
        return;
      case 'failure':
        this.#message(event.detail.trimEnd());
        return;
      case 'warning':
        this.#message(`warning: ${event.detail}`);
        return;
      default:
        this.#tell(event);
    }
  }

  [Symbol.dispose](): void {
    for (const lines of this.#logs.values()) lines.end();
    this.#logs.clear();
    this.#said.end();
  }

  #logOf(path: string): BuildLogLines {
    const known = this.#logs.get(path);
    if (known !== undefined) return known;
    const lines = new BuildLogLines({
      line: (line) => this.#line({ event: 'build-log', path, line }),
      phase: (phase) => this.#line({ event: 'build-phase', path, phase }),
      message: (_level, text) => this.#line({ event: 'build-message', path, text }),
    });
    this.#logs.set(path, lines);
    return lines;
  }

  #tell(event: ProgressEvent): void {
    const {
      kind,
      storePath: path,
      detail,
      ...rest
    } = event as ProgressEvent & {
      readonly storePath?: string;
      readonly detail?: string;
    };
    const named = detail === undefined ? {} : { [nameOfDetail(kind)]: detail };
    this.#line({ event: kind, ...(path !== undefined && { path }), ...named, ...rest });
  }

  #message(text: string): void {
    const plain = text.replace(/\x1b\[[0-9;]*m/g, '');
    const [, level = 'info'] = /^(error|warning|trace):/.exec(plain) ?? [];
    this.#line({ event: 'message', level, text: plain });
  }

  #line(fields: Readonly<Record<string, unknown>>): void {
    this.#write(2, `${JSON.stringify(fields)}\n`);
  }
}

function nameOfDetail(kind: ProgressEvent['kind']): string {
  if (kind === 'substitution-planned' || kind === 'substitution-started') return 'cache';
  if (kind.startsWith('download') || kind === 'unpacking') return 'url';
  return 'message';
}
