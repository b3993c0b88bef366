/**
 * The lines at the bottom of a terminal that are drawn again and again, with text scrolling away above them. Everything is
 * a string to be written at once; nothing is written here.
 *
 * The cursor stays behind the last line, hidden. Lines are never as wide as the screen, so that none of them wraps unless the
 * screen becomes narrower: then most terminals wrap what is there, and it has more rows.
 */
import { textWidth } from './screen-text.ts';

const escape = '\x1b[';
const beginFrame = `${escape}?2026h`;
const endFrame = `${escape}?2026l`;
const hideCursor = `${escape}?25l`;
const showCursor = `${escape}?25h`;

export class LiveArea {
  /** Whether the terminal wraps lines anew when it becomes narrower. */
  readonly #wrapsAnew: boolean;
  #lines: readonly string[] = [];
  /** How wide the lines are, without colours. */
  #widths: readonly number[] = [];

  constructor({ wrapsAnew }: { readonly wrapsAnew: boolean }) {
    this.#wrapsAnew = wrapsAnew;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Text above, whose last line has ended, and new lines. Empty when nothing changes. */
  draw({
    above,
    lines,
    columns,
  }: {
    readonly above: string;
    readonly lines: readonly string[];
    readonly columns: number;
  }): string {
    const isSame =
      lines.length === this.#lines.length && lines.every((it, index) => it === this.#lines[index]);
    if (above === '' && isSame) return '';
    const wasEmpty = this.isEmpty;
    const erasing = this.#erase(columns);
    this.#lines = lines;
    this.#widths = lines.map((line) => textWidth(line.replace(/\x1b\[[0-9;]*m/g, '')));
    const cursor = wasEmpty === this.isEmpty ? '' : this.isEmpty ? showCursor : hideCursor;
    return `${beginFrame}${erasing}${above}${cursor}${lines.join('\n')}${endFrame}`;
  }

  /** Leaves the terminal as it would be without the area. */
  clear(columns: number): string {
    if (this.isEmpty) return '';
    return this.draw({ above: '', lines: [], columns });
  }

  #erase(columns: number): string {
    if (this.isEmpty) return '';
    const rows = this.#wrapsAnew
      ? this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
      : this.#widths.length;
    const up = rows > 1 ? `${escape}${rows - 1}A` : '';
    return `\r${up}${escape}J`;
  }
}
