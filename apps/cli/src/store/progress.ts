/** One line on a terminal that says how far something is. Nothing where standard error is no terminal. */
import { write } from '../output.ts';

const intervalMs = 100;

export class Progress implements Disposable {
  readonly #shown: boolean;
  #lastMs = 0;
  #isOnScreen = false;

  constructor({ quiet }: { readonly quiet: boolean }) {
    this.#shown = !quiet && process.stderr.isTTY;
  }

  /** Shows the line unless another was shown just now. */
  show(line: () => string): void {
    if (!this.#shown) return;
    const now = performance.now();
    if (now - this.#lastMs < intervalMs) return;
    this.#lastMs = now;
    const width = process.stderr.columns ?? 80;
    write(2, `\r\x1b[K${line().slice(0, width - 1)}`);
    this.#isOnScreen = true;
  }

  [Symbol.dispose](): void {
    if (this.#isOnScreen) write(2, '\r\x1b[K');
    this.#isOnScreen = false;
  }
}

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
