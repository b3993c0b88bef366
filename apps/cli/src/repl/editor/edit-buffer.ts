/**
 * A text of some lines with a cursor: what is typed, and what keys of Emacs and readline do to it. Positions are indices of
 * UTF-16; the cursor is never inside of a character or before a combining one.
 */
export class EditBuffer {
  #text = '';
  #cursor = 0;
  /** What was killed last. */
  #killed = '';
  #undo: { readonly text: string; readonly cursor: number }[] = [];

  get text(): string {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  get isAtEnd(): boolean {
    return this.#cursor === this.#text.length;
  }

  /** Another text, without a way back. */
  reset(text: string, cursor: number = text.length): void {
    this.#text = text;
    this.#cursor = cursor;
    this.#undo = [];
  }

  insert(text: string): void {
    this.#replace(this.#cursor, this.#cursor, text);
  }

  /** Puts a text in place of what is before the cursor, from `start` on. */
  replaceBefore(start: number, text: string): void {
    this.#replace(start, this.#cursor, text);
  }

  /** Does what a key says; false if it says nothing to a text. */
  apply(key: string): boolean {
    const action = actions[key];
    if (action === undefined) return false;
    action(this);
    return true;
  }

  moveTo(position: number): void {
    this.#cursor = Math.max(0, Math.min(this.#text.length, position));
  }

  /** To the line above or below, in the same column if there is one; false where there is none. */
  moveLine(by: -1 | 1): boolean {
    const start = this.lineStart();
    const column = this.#cursor - start;
    if (by === -1) {
      if (start === 0) return false;
      const above = this.#text.lastIndexOf('\n', start - 2) + 1;
      this.moveTo(Math.min(above + column, start - 1));
      return true;
    }
    const end = this.lineEnd();
    if (end === this.#text.length) return false;
    const below = this.#text.indexOf('\n', end + 1);
    this.moveTo(Math.min(end + 1 + column, below === -1 ? this.#text.length : below));
    return true;
  }

  lineStart(): number {
    return this.#text.lastIndexOf('\n', this.#cursor - 1) + 1;
  }

  lineEnd(): number {
    const end = this.#text.indexOf('\n', this.#cursor);
    return end === -1 ? this.#text.length : end;
  }

  before(position: number): number {
    // eslint-disable-next-line no-control-regex -- whatever it is
    const match = /[\s\S]\p{M}*$/u.exec(this.#text.slice(0, position));
    return match?.index ?? 0;
  }

  after(position: number): number {
    const match = /^[\s\S]\p{M}*/u.exec(this.#text.slice(position));
    return position + (match?.[0].length ?? 0);
  }

  wordBefore(): number {
    return /[\p{L}\p{N}_]*[^\p{L}\p{N}_]*$/u.exec(this.#text.slice(0, this.#cursor))?.index ?? 0;
  }

  wordAfter(): number {
    const match = /^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(this.#text.slice(this.#cursor));
    return this.#cursor + (match?.[0].length ?? 0);
  }

  remove(start: number, end: number): void {
    this.#replace(start, end, '');
  }

  kill(start: number, end: number): void {
    if (start === end) return;
    this.#killed = this.#text.slice(start, end);
    this.remove(start, end);
  }

  yank(): void {
    this.insert(this.#killed);
  }

  undo(): void {
    const last = this.#undo.pop();
    if (last === undefined) return;
    this.#text = last.text;
    this.#cursor = last.cursor;
  }

  transpose(): void {
    const at = this.isAtEnd ? this.before(this.#cursor) : this.#cursor;
    const first = this.before(at);
    if (first === at) return;
    const second = this.after(at);
    this.#cursor = second;
    this.#replace(first, second, this.#text.slice(at, second) + this.#text.slice(first, at));
  }

  // oxlint-disable-next-line eslint/max-params -- a range, and what comes there
  #replace(start: number, end: number, text: string): void {
    this.#undo.push({ text: this.#text, cursor: this.#cursor });
    this.#text = this.#text.slice(0, start) + text + this.#text.slice(end);
    this.#cursor = start + text.length;
  }
}

const actions: Readonly<Record<string, (it: EditBuffer) => void>> = {
  left: (it) => it.moveTo(it.before(it.cursor)),
  'ctrl-b': (it) => it.moveTo(it.before(it.cursor)),
  right: (it) => it.moveTo(it.after(it.cursor)),
  'ctrl-f': (it) => it.moveTo(it.after(it.cursor)),
  home: (it) => it.moveTo(it.lineStart()),
  'ctrl-a': (it) => it.moveTo(it.lineStart()),
  end: (it) => it.moveTo(it.lineEnd()),
  'ctrl-e': (it) => it.moveTo(it.lineEnd()),
  'ctrl-left': (it) => it.moveTo(it.wordBefore()),
  'alt-left': (it) => it.moveTo(it.wordBefore()),
  'alt-b': (it) => it.moveTo(it.wordBefore()),
  'ctrl-right': (it) => it.moveTo(it.wordAfter()),
  'alt-right': (it) => it.moveTo(it.wordAfter()),
  'alt-f': (it) => it.moveTo(it.wordAfter()),
  backspace: (it) => it.remove(it.before(it.cursor), it.cursor),
  delete: (it) => it.remove(it.cursor, it.after(it.cursor)),
  'ctrl-d': (it) => it.remove(it.cursor, it.after(it.cursor)),
  'ctrl-k': (it) => it.kill(it.cursor, it.lineEnd() === it.cursor ? it.after(it.cursor) : it.lineEnd()),
  'ctrl-u': (it) => it.kill(it.lineStart(), it.cursor),
  'ctrl-w': (it) => it.kill(spaceBefore(it), it.cursor),
  'alt-backspace': (it) => it.kill(it.wordBefore(), it.cursor),
  'alt-d': (it) => it.kill(it.cursor, it.wordAfter()),
  'ctrl-y': (it) => it.yank(),
  'ctrl-t': (it) => it.transpose(),
  'ctrl-_': (it) => it.undo(),
  'alt-enter': (it) => it.insert('\n'),
};

function spaceBefore(it: EditBuffer): number {
  return /\S*\s*$/.exec(it.text.slice(0, it.cursor))?.index ?? 0;
}
