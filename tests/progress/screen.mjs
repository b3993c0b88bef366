// A small terminal: what a screen of some size shows after bytes were written to it, with what has scrolled away. It knows
// what programs use that draw progress, and refuses everything else: a sequence that it does not know is a failure, since
// a real terminal might do anything.
//
// When the screen becomes narrower, lines are wrapped anew, as most terminals do.

/** @typedef {{ text: string, isWrapped: boolean }} Row isWrapped: it goes on in the next row */

export class Screen {
  /** What has scrolled away, and what is on the screen: one character a column, a wide one followed by an empty string. */
  /** @type {{ cells: string[], isWrapped: boolean }[]} */
  #lines = [{ cells: [], isWrapped: false }];
  /** Of the cursor, counted from the first line that there ever was. */
  #line = 0;
  /** The first line that is on the screen: what has scrolled away does not come back, but when the screen grows. */
  #top = 0;
  #column = 0;
  #rest = '';
  #decoder = new TextDecoder();
  isCursorShown = true;
  /** A paste comes in brackets. */
  bracketsPaste = false;
  /** Between the beginning and the end of a frame. */
  isInFrame = false;
  /** Frames that were drawn. */
  frames = 0;
  /** Colours that were set or ended. */
  colours = 0;

  /** Called at the end of each frame. */
  onFrame = () => {};

  /** @param {{ rows: number, columns: number }} size */
  constructor({ rows, columns }) {
    this.rows = rows;
    this.columns = columns;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    let index = 0;
    while (index < text.length) {
      const rest = text.slice(index, index + 64);
      if (rest[0] === '\x1b') {
        const sequence = /^\x1b\[([?>]?)([0-9;]*)([a-zA-Z])/.exec(rest);
        if (sequence === null) {
          if (/^\x1b(\[[?>]?[0-9;]*)?$/.test(rest)) break;
          throw new Error(`a sequence that is not known: ${JSON.stringify(rest.slice(0, 12))}`);
        }
        const [all, mark = '', numbers = '', letter = ''] = sequence;
        this.#control(mark, numbers, letter);
        index += all.length;
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
      this.#put(character);
      index += character.length;
    }
    this.#rest = text.slice(index);
  }

  /** @param {{ rows: number, columns: number }} size */
  resize({ rows, columns }) {
    if (columns !== this.columns) this.#wrapAnew(columns);
    this.rows = rows;
    this.columns = columns;
    this.#top = Math.max(0, this.#lines.length - rows);
  }

  /** What is on the screen, without blanks at the ends of lines and empty lines at the end. */
  get text() {
    return this.#textFrom(this.#top);
  }

  /** The same with all that has scrolled away. */
  get history() {
    return this.#textFrom(0);
  }

  get cursor() {
    return { row: this.#line - this.#top, column: this.#column };
  }

  /** @param {number} first */
  #textFrom(first) {
    const lines = this.#lines.slice(first).map(({ cells }) =>
      Array.from(cells, (it) => it ?? ' ')
        .join('')
        .trimEnd(),
    );
    return lines.join('\n').trimEnd();
  }

  /** @param {string} mark @param {string} numbers @param {string} letter */
  #control(mark, numbers, letter) {
    const [first = 0] = numbers.split(';').map(Number);
    if (mark === '?' && (letter === 'h' || letter === 'l')) {
      const isOn = letter === 'h';
      if (first === 25) this.isCursorShown = isOn;
      else if (first === 2026) {
        const isEnd = this.isInFrame && !isOn;
        this.isInFrame = isOn;
        if (isEnd) {
          this.frames++;
          this.onFrame();
        }
      } else if (first === 2004) this.bracketsPaste = isOn;
      else throw new Error(`a mode that is not known: ${first}`);
      return;
    }
    if (mark === '' && letter === 'm') {
      this.colours++;
      return;
    }
    if (mark === '' && letter === 'A') {
      this.#line = Math.max(this.#top, this.#line - Math.max(1, first));
      return;
    }
    if (mark === '' && letter === 'C') {
      this.#column = Math.min(this.columns - 1, this.#column + Math.max(1, first));
      return;
    }
    if (mark === '' && letter === 'H' && numbers === '') {
      this.#line = this.#top;
      this.#column = 0;
      return;
    }
    if (mark === '' && letter === 'J' && first === 2) {
      this.#lines.splice(this.#top);
      while (this.#lines.length <= this.#line) this.#lines.push({ cells: [], isWrapped: false });
      return;
    }
    if (mark === '' && letter === 'J' && first === 0) {
      this.#lines.length = this.#line + 1;
      this.#current.cells.length = Math.min(this.#current.cells.length, this.#column);
      this.#current.isWrapped = false;
      return;
    }
    throw new Error(`a sequence that is not known: ${mark}${numbers}${letter}`);
  }

  get #current() {
    const line = this.#lines[this.#line];
    if (line === undefined) throw new Error('the cursor is on no line');
    return line;
  }

  /** @param {string} character */
  #put(character) {
    if (character === '\n') {
      this.#down();
      return;
    }
    if (character === '\r') {
      this.#column = 0;
      return;
    }
    const code = character.codePointAt(0) ?? 0;
    if (code < 32 || (code >= 0x7f && code < 0xa0)) throw new Error(`a control character: ${code}`);
    const width = widthOf(character);
    if (width === 0) {
      const cells = this.#current.cells;
      const before = cells[this.#column - 1] === '' ? this.#column - 2 : this.#column - 1;
      if (before >= 0) cells[before] += character;
      return;
    }
    if (this.#column + width > this.columns) {
      this.#current.isWrapped = true;
      this.#down();
      this.#column = 0;
    }
    const { cells } = this.#current;
    while (cells.length < this.#column) cells.push(' ');
    cells[this.#column] = character;
    if (width === 2) cells[this.#column + 1] = '';
    this.#column += width;
  }

  #down() {
    this.#line++;
    if (this.#line === this.#lines.length) this.#lines.push({ cells: [], isWrapped: false });
    this.#top = Math.max(this.#top, this.#line - this.rows + 1);
  }

  /** @param {number} columns */
  #wrapAnew(columns) {
    /** @type {{ cells: string[], isWrapped: boolean }[]} */
    const lines = [];
    let line = 0;
    let column = 0;
    /** @type {string[]} */
    let whole = [];
    let cursorAt = -1;
    this.#lines.forEach(({ cells, isWrapped }, index) => {
      if (index === this.#line) cursorAt = whole.length + this.#column;
      whole = [...whole, ...cells];
      if (isWrapped) return;
      const begin = lines.length;
      for (let from = 0; from === 0 || from < whole.length; from += columns) {
        lines.push({ cells: whole.slice(from, from + columns), isWrapped: from + columns < whole.length });
      }
      if (cursorAt !== -1) {
        line = Math.min(begin + Math.floor(cursorAt / columns), lines.length - 1);
        column = cursorAt - (line - begin) * columns;
      }
      cursorAt = -1;
      whole = [];
    });
    this.#lines = lines;
    this.#line = line;
    this.#column = column;
  }
}

/** As wcwidth of the C library has it, for what the tests write. @param {string} character */
function widthOf(character) {
  const code = character.codePointAt(0) ?? 0;
  if (/^[\p{Mn}\p{Me}\u200b-\u200f]$/u.test(character)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}
