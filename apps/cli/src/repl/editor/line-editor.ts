/**
 * The editor of the prompt: what keys do to a text of several lines, what it was before, and what is drawn of it. It knows
 * nothing of terminals but what it writes, so that tests type into it.
 *
 * One `read` at a time. Keys that come while a completion is looked for wait for it; Ctrl-C ends that. What was typed after the
 * end of an input is for the next one.
 */
import { EditBuffer } from './edit-buffer.ts';
import type { History } from './history.ts';
import type { Key } from './keys.ts';
import { type Layout, cursorRowAt, layOut } from './screen-layout.ts';
import { listInColumns } from './column-list.ts';

export type Candidates = {
  /** Where what they replace begins. */
  readonly start: number;
  readonly texts: readonly string[];
};

export type EditorScreen = {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
};

export type LineEditorOptions = {
  readonly screen: EditorScreen;
  readonly history: History;
  readonly prompt: string;
  readonly continuation: string;
  readonly complete: (before: string, signal: AbortSignal) => Promise<Candidates>;
  /** Stops the program, and comes back when it goes on. */
  readonly suspend: () => Promise<void>;
};

/** What becomes of an input: `undefined` where it goes on in another line. */
export type ParseInput<T> = (text: string) => Promise<T | undefined>;

type Search = { query: string; index: number; readonly original: string };

export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #buffer = new EditBuffer();
  readonly #waiting: Key[] = [];
  #wake: (() => void) | undefined;
  #drawn: Layout | undefined;
  #drawnColumns = 0;
  /** The entry that is shown; that after the last one is what is being typed. */
  #historyIndex = 0;
  #typed = '';
  #search: Search | undefined;
  #completing: AbortController | undefined;
  /** The key before was a tab that changed nothing. */
  #hasTabbed = false;
  #isClosed = false;

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  /** Keys that were typed. */
  type(keys: readonly Key[]): void {
    this.#waiting.push(...keys);
    if (keys.some((key) => key.kind === 'name' && key.name === 'ctrl-c')) this.#completing?.abort();
    this.#wake?.();
  }

  /** There will be no more keys. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** The screen has another size. */
  resized(): void {
    if (this.#drawn !== undefined && this.#completing === undefined) this.#draw();
  }

  /** Reads until `parse` says that it is an input; `end` when there is none any more. */
  async read<T>(parse: ParseInput<T>): Promise<T | 'end'> {
    const { history } = this.#options;
    this.#begin();
    while (true) {
      this.#draw();
      const key = await this.#next();
      if (key === undefined || (isName(key, 'ctrl-d') && this.#buffer.text === '')) {
        this.#finish();
        return 'end';
      }
      if (!isName(key, 'enter')) {
        await this.#handle(key);
        continue;
      }
      this.#search = undefined;
      const parsed = await parse(this.#buffer.text);
      if (parsed !== undefined) {
        this.#finish();
        history.add(this.#buffer.text);
        return parsed;
      }
      this.#buffer.moveTo(this.#buffer.text.length);
      this.#buffer.insert('\n');
    }
  }

  #begin(): void {
    this.#buffer.reset('');
    this.#historyIndex = this.#options.history.entries.length;
    this.#typed = '';
    this.#search = undefined;
    this.#drawn = undefined;
  }

  async #next(): Promise<Key | undefined> {
    while (this.#waiting.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#waiting.shift();
  }

  async #handle(key: Key): Promise<void> {
    const isTab = isName(key, 'tab');
    if (!isTab) this.#hasTabbed = false;
    if (this.#search !== undefined && this.#handleSearch(key, this.#search)) return;
    if (key.kind !== 'name') {
      this.#buffer.insert(key.text);
      return;
    }
    if (isTab) await this.#complete();
    else if (!(await this.#handleName(key.name))) this.#buffer.apply(key.name);
  }

  /** What concerns more than the text. */
  async #handleName(name: string): Promise<boolean> {
    switch (name) {
      case 'ctrl-c':
        this.#cancel();
        return true;
      case 'ctrl-l':
        this.#options.screen.write('\x1b[H\x1b[2J');
        this.#drawn = undefined;
        return true;
      case 'ctrl-r':
        this.#search = {
          query: '',
          index: this.#options.history.entries.length,
          original: this.#buffer.text,
        };
        return true;
      case 'up':
      case 'ctrl-p':
        if (!this.#buffer.moveLine(-1)) this.#goTo(this.#historyIndex - 1);
        return true;
      case 'down':
      case 'ctrl-n':
        if (!this.#buffer.moveLine(1)) this.#goTo(this.#historyIndex + 1);
        return true;
      case 'alt-<':
      case 'page-up':
        this.#goTo(0);
        return true;
      case 'alt->':
      case 'page-down':
        this.#goTo(this.#options.history.entries.length);
        return true;
      case 'ctrl-z':
        this.#erase();
        await this.#options.suspend();
        return true;
      default:
        return false;
    }
  }

  /** Gives the text up, which stays on the screen, and begins another one. */
  #cancel(): void {
    this.#buffer.moveTo(this.#buffer.text.length);
    this.#finish('^C');
    this.#begin();
  }

  #goTo(index: number): void {
    const { entries } = this.#options.history;
    if (index < 0 || index > entries.length || index === this.#historyIndex) return;
    if (this.#historyIndex === entries.length) this.#typed = this.#buffer.text;
    this.#historyIndex = index;
    this.#buffer.reset(entries[index] ?? this.#typed);
  }

  // ── Searching ──

  /** False where the key ends the search and means what it means. */
  #handleSearch(key: Key, search: Search): boolean {
    if (key.kind !== 'name') {
      this.#searchFor({ ...search, query: search.query + key.text }, search.index + 1);
      return true;
    }
    switch (key.name) {
      case 'backspace':
        this.#searchFor(
          { ...search, query: search.query.slice(0, -1) },
          this.#options.history.entries.length,
        );
        return true;
      case 'ctrl-r':
        this.#searchFor(search, search.index);
        return true;
      case 'ctrl-g':
      case 'ctrl-c':
        this.#buffer.reset(search.original);
        this.#search = undefined;
        return true;
      default:
        this.#search = undefined;
        return false;
    }
  }

  /** Shows the newest entry before `from` that has what is looked for; what was found stays where there is none. */
  #searchFor(search: Search, from: number): void {
    const { history } = this.#options;
    const found = search.query === '' ? undefined : history.find(search.query, from);
    this.#search = { ...search, index: found ?? search.index };
    if (found === undefined) return;
    const entry = history.entries[found] ?? '';
    this.#historyIndex = found;
    this.#buffer.reset(entry, entry.indexOf(search.query));
  }

  // ── Completion ──

  async #complete(): Promise<void> {
    const before = this.#buffer.text.slice(0, this.#buffer.cursor);
    this.#completing = new AbortController();
    const { start, texts } = await this.#options.complete(before, this.#completing.signal);
    this.#completing = undefined;
    const common = commonPrefix(texts);
    if (common.length > before.length - start) {
      this.#buffer.replaceBefore(start, common);
      this.#hasTabbed = false;
    } else if (texts.length > 1) {
      if (this.#hasTabbed) this.#list(texts);
      this.#hasTabbed = true;
    }
  }

  /** Below the text, which is drawn again below that. */
  #list(texts: readonly string[]): void {
    const { screen } = this.#options;
    const { cursor } = this.#buffer;
    this.#buffer.moveTo(this.#buffer.text.length);
    this.#finish();
    this.#buffer.moveTo(cursor);
    // What they have in common says where they are, and is long for paths.
    const shown = texts.map((text) => text.replace(/^.*[./](?=[^./])/s, ''));
    screen.write(listInColumns(shown, { columns: screen.columns, rows: Math.max(4, screen.rows - 3) }));
  }

  // ── Drawing ──

  #draw(): void {
    const { screen, prompt, continuation } = this.#options;
    const { columns } = screen;
    const up = this.#rowsAbove(columns);
    const search = this.#search;
    const layout = layOut(
      {
        prompt: search === undefined ? prompt : `(reverse-i-search)'${search.query}': `,
        continuation,
        text: this.#buffer.text,
        cursor: this.#buffer.cursor,
      },
      columns,
    );
    const back = layout.lastRow - layout.cursor.row;
    screen.write(
      `${frameStart}\r${up > 0 ? `\x1b[${up}A` : ''}\x1b[J${layout.output}${back > 0 ? `\x1b[${back}A` : ''}\r${
        layout.cursor.column > 0 ? `\x1b[${layout.cursor.column}C` : ''
      }${frameEnd}`,
    );
    this.#drawn = layout;
    this.#drawnColumns = columns;
  }

  #rowsAbove(columns: number): number {
    if (this.#drawn === undefined) return 0;
    return columns === this.#drawnColumns ? this.#drawn.cursor.row : cursorRowAt(this.#drawn, columns);
  }

  /** Ends the drawing: the cursor goes below it. */
  #finish(mark: string = ''): void {
    this.#search = undefined;
    this.#buffer.moveTo(this.#buffer.text.length);
    this.#draw();
    this.#options.screen.write(`${mark}\r\n`);
    this.#drawn = undefined;
  }

  #erase(): void {
    const up = this.#rowsAbove(this.#options.screen.columns);
    this.#options.screen.write(`\r${up > 0 ? `\x1b[${up}A` : ''}\x1b[J`);
    this.#drawn = undefined;
  }
}

/** Terminals that know them show what is between at once. */
const frameStart = '\x1b[?2026h';
const frameEnd = '\x1b[?2026l';

function isName(key: Key, name: string): boolean {
  return key.kind === 'name' && key.name === name;
}

function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const text of others) {
    while (!text.startsWith(first.slice(0, length))) length -= 1;
  }
  return first.slice(0, length);
}
