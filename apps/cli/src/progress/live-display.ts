/**
 * Draws what goes on at a terminal, below what is printed. There are at most a dozen frames a second, and none when nothing
 * has changed. Failures are told when everything has ended, where they are seen.
 */
import type { Display, DisplayOptions } from './display.ts';
import { LiveArea } from './live-area.ts';
import { PlainDisplay } from './plain-display.ts';
import { type ProgressEvent, nameOfPath } from './progress-event.ts';
import { ProgressModel } from './progress-model.ts';
import { type Symbols, endingLine, progressLines } from './progress-view.ts';
import { type Line, harmless, harmlessLines, renderLine } from './screen-text.ts';
import type { Terminal } from './terminal.ts';

const frameMs = 80;

/** More waits for no frame. */
const maxPending = 1 << 16;

export type LiveOptions = Pick<DisplayOptions, 'buildLogs' | 'verbose'> & {
  readonly terminal: Terminal;
  readonly colour: boolean;
  readonly symbols: Symbols;
};

export class LiveDisplay implements Display {
  readonly #options: LiveOptions;
  readonly #area: LiveArea;
  /** Says what is told in lines here too. */
  readonly #plain: PlainDisplay;
  #model: ProgressModel;
  /** To be printed above the area with the next frame. */
  #pending = '';
  /** What was printed last has not ended its line. */
  #isMidLine = false;
  #lastFrameMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isSuspended = false;
  readonly #watch: Disposable;

  constructor(options: LiveOptions) {
    this.#options = options;
    const { terminal, verbose } = options;
    this.#area = new LiveArea({ wrapsAnew: terminal.wrapsAnew });
    this.#model = this.#newModel();
    this.#plain = new PlainDisplay((_file, text) => this.#say(String(text)), {
      buildLogs: 'none',
      quiet: !verbose,
    });
    this.#watch = terminal.watch({
      onResize: () => this.#schedule(),
      // The program ends here and now, or is stopped.
      onLeave: () => this.#leave(),
      onReturn: () => {
        this.#isSuspended = false;
        this.#schedule();
      },
    });
  }

  report(event: ProgressEvent): void {
    const { terminal } = this.#options;
    this.#model.take(event, terminal.now());
    if (event.kind === 'failure' || event.kind === 'build-log') {
      // See the end, or `onLogLine`.
    } else if (event.kind === 'work-ended') {
      this.#conclude();
      return;
    } else this.#plain.report(event);
    this.#schedule();
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    const { terminal } = this.#options;
    if (file === 1 && !terminal.isOutput) {
      terminal.write(1, text);
      return;
    }
    if (this.#area.isEmpty && this.#pending === '') {
      terminal.write(file, text);
      this.#noteEnd(text);
      return;
    }
    if (file === 1) {
      // The two are different files, which keep no order of their own.
      this.#print([]);
      terminal.write(1, text);
      this.#noteEnd(text);
      this.#schedule();
      return;
    }
    this.#say(typeof text === 'string' ? text : Buffer.from(text).toString());
  }

  [Symbol.dispose](): void {
    this.#conclude();
    this.#watch[Symbol.dispose]();
  }

  #newModel(): ProgressModel {
    const { buildLogs, colour } = this.#options;
    if (buildLogs === 'none') return new ProgressModel();
    return new ProgressModel((drvPath, line) => {
      const prefix: Line = [{ text: `${nameOfPath(drvPath)}> `, style: 'blue' }];
      this.#say(`${this.#rendered(prefix, Infinity)}${harmless(line, { colour })}\n`);
    });
  }

  /** Text above the area, with the next frame or at once. */
  #say(text: string): void {
    this.#pending += text;
    const sinceMs = this.#options.terminal.now() - this.#lastFrameMs;
    if (this.#pending.length > maxPending || sinceMs >= frameMs) this.#frame();
    else this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isSuspended) return;
    const sinceMs = this.#options.terminal.now() - this.#lastFrameMs;
    this.#timer = setTimeout(() => this.#frame(), Math.max(0, frameMs - sinceMs));
    // What goes on keeps the process.
    this.#timer.unref();
  }

  #frame(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isSuspended) return;
    const { terminal, symbols } = this.#options;
    const nowMs = terminal.now();
    this.#print(progressLines(this.#model, { rows: terminal.rows, nowMs, symbols }));
    if (this.#model.isActive) this.#schedule();
  }

  #print(lines: readonly Line[]): void {
    const { terminal } = this.#options;
    const above = this.#pending;
    this.#pending = '';
    this.#noteEnd(above);
    const { columns } = terminal;
    const shown = this.#isMidLine ? [] : lines.map((it) => this.#rendered(it, columns - 1));
    const frame = this.#area.draw({ above, lines: shown, columns });
    this.#lastFrameMs = terminal.now();
    if (frame !== '') terminal.write(2, frame);
  }

  #rendered(line: Line, columns: number): string {
    const { colour, symbols } = this.#options;
    return renderLine(line, { columns, colour, ellipsis: symbols.ellipsis });
  }

  #noteEnd(text: string | Uint8Array): void {
    if (text.length > 0) this.#isMidLine = text.at(-1) !== '\n' && text.at(-1) !== 0x0a;
  }

  /** Tells how everything has ended, and begins anew. */
  #conclude(): void {
    const { terminal, colour, symbols } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const model = this.#model;
    this.#model = this.#newModel();
    for (const failure of model.failures) this.#pending += harmlessLines(failure, { colour });
    const ending = endingLine(model, { nowMs: terminal.now(), symbols });
    if (ending !== undefined) this.#pending += `${this.#rendered(ending, Infinity)}\n`;
    this.#print([]);
  }

  #leave(): void {
    this.#isSuspended = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#print([]);
  }
}
