/**
 * What was entered before, oldest first, and the file where it is kept, one entry a line: a line that ends with an odd number
 * of backslashes goes on in the next one, and backslashes at ends of lines are doubled. The file can only be read by its owner.
 * It is written to after each entry, so that several prompts may share it and nothing is lost.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const maximumEntries = 10_000;

export class History {
  readonly #path: string | undefined;
  readonly #entries: string[];

  private constructor(path: string | undefined, entries: readonly string[]) {
    this.#path = path;
    this.#entries = [...entries];
  }

  /** Without a path nothing is kept. A file that cannot be read is as if it were empty. */
  static open(path: string | undefined): History {
    if (path === undefined) return new History(undefined, []);
    try {
      const entries = parseHistory(readFileSync(path, 'utf8'));
      if (entries.length > 2 * maximumEntries) {
        writeFileSync(path, entries.slice(-maximumEntries).map(printEntry).join(''), { mode: 0o600 });
      }
      return new History(path, entries.slice(-maximumEntries));
    } catch {
      return new History(path, []);
    }
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Adds an entry, unless it is blank or the newest already. */
  add(entry: string): void {
    const text = entry.trim();
    if (text === '' || text === this.#entries.at(-1)) return;
    this.#entries.push(text);
    if (this.#path === undefined) return;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      appendFileSync(this.#path, printEntry(text), { mode: 0o600 });
    } catch {
      // It is remembered as long as the prompt is there.
    }
  }

  /** The index of the newest entry before `from` that contains a text. */
  find(text: string, from: number): number | undefined {
    for (let index = from - 1; index >= 0; index--) {
      if (this.#entries[index]?.includes(text) === true) return index;
    }
    return undefined;
  }
}

export function printEntry(entry: string): string {
  const lines = entry.split('\n').map((line) => line.replace(/\\+$/, (it) => it + it));
  return `${lines.join('\\\n')}\n`;
}

export function parseHistory(text: string): readonly string[] {
  const entries: string[] = [];
  let entry: string | undefined;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const count = /\\*$/.exec(line)?.[0].length ?? 0;
    const plain = line.slice(0, line.length - count) + '\\'.repeat(Math.floor(count / 2));
    entry = entry === undefined ? plain : `${entry}\n${plain}`;
    if (count % 2 === 1) continue;
    if (entry !== '') entries.push(entry);
    entry = undefined;
  }
  return entry === undefined || entry === '' ? entries : [...entries, entry];
}
